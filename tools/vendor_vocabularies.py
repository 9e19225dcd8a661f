"""Pack the ranks of OpenAI's tokens into `replay_server/vocabularies/`, from a directory that is tiktoken's cache.

    python tools/vendor_vocabularies.py DIRECTORY

Anything but the very files that tiktoken uses is refused. The output is the same for the same input.
"""

import argparse
from hashlib import sha256
from pathlib import Path

import replay_server.vocabularies
from replay_server.vocabularies import VOCABULARIES, file_name, pack, read_tokens

OUT = Path(replay_server.vocabularies.__file__).parent


def main() -> None:
    """Read, check, pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY")
    directory = parser.parse_args().directory
    for name, vocabulary in VOCABULARIES.items():
        data = (directory / file_name(vocabulary)).read_bytes()
        if sha256(data).hexdigest() != vocabulary.digest:
            raise SystemExit(f"{directory / file_name(vocabulary)} is not {vocabulary.url}")
        packed = pack(read_tokens(data))
        (OUT / f"{name}.xz").write_bytes(packed)
        print(f"{OUT / name}.xz: {len(packed):,} bytes")


if __name__ == "__main__":
    main()
