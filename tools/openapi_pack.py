"""Make `replay_server/endpoints/described/openai-all.json.xz`: all that an OpenAPI description says, less its prose.

    python tools/openapi_pack.py openapi.json

What no module of `endpoints` knows is answered from it. The same input gives the same JSON, and with the same version
of the xz library the same bytes.
"""

import argparse
import json
import lzma
from pathlib import Path

from openapi_facts import ROOT, Node, Tree

OUT = ROOT / "replay_server" / "endpoints" / "described" / "openai-all.json.xz"

PROSE = frozenset({"description", "summary", "title", "example", "examples", "externalDocs", "tags"})
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "schemas", "paths", "content", "responses"})
"""Keys below which the keys are names, so that `title` is no prose there."""
KEPT = ("openapi", "info", "servers", "paths", "components")
COMPONENTS = ("schemas", "parameters", "requestBodies", "responses")


def pack(document: Node) -> bytes:
    """The facts of a description, packed."""
    text = json.dumps(facts(document), separators=(",", ":"), ensure_ascii=False)
    return lzma.compress(text.encode(), check=lzma.CHECK_CRC64, preset=9 | lzma.PRESET_EXTREME)


def facts(document: Node) -> Node:
    """What is kept of a description."""
    kept = {key: bare(document[key], key in NAMED) for key in KEPT if key in document}
    components = document.get("components", {})
    kept["components"] = {key: bare(components[key], named=True) for key in COMPONENTS if key in components}
    kept["info"] = {"title": "facts", "version": document.get("info", {}).get("version", "")}
    return kept


def bare(node: Tree, named: bool = False) -> Tree:
    """A node without its prose. `named`: its keys are names."""
    if isinstance(node, list):
        return [bare(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if named or (key not in PROSE and not key.startswith("x-"))}
    return {key: bare(value, not named and key in NAMED) for key, value in kept.items()}


def main() -> None:
    """Read the description, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("description", type=Path, metavar="OPENAPI_FILE")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    packed = pack(json.loads(options.description.read_text()))
    options.out.write_bytes(packed)
    print(f"{options.out}: {len(packed)} bytes")


if __name__ == "__main__":
    main()
