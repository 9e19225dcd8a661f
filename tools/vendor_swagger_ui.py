"""Fetch Swagger UI with the npm client and keep what `/docs` serves: script and style, packed, and their licences.

python tools/vendor_swagger_ui.py [VERSION]
"""

import gzip
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "replay_server" / "server" / "static"
VERSION = "5.35.0"
PACKED = ("swagger-ui-bundle.js", "swagger-ui.css")
PLAIN = {
    "LICENSE": "swagger-ui.LICENSE",
    "NOTICE": "swagger-ui.NOTICE",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
}
"""Files kept as they are, and the names they get."""


def fetch(version: str, folder: Path) -> dict[str, bytes]:
    """The files of the package, by name."""
    command = ["npm", "pack", "--silent", f"swagger-ui-dist@{version}"]
    name = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    with tarfile.open(folder / name) as archive:
        wanted = {f"package/{name}": name for name in (*PACKED, *PLAIN)}
        return {wanted[path]: _read(archive, path) for path in wanted}


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    if member is None:
        raise SystemExit(f"{path} is no file")
    return member.read()


def main() -> None:
    """Replace the vendored files."""
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    with tempfile.TemporaryDirectory() as folder:
        files = fetch(version, Path(folder))
    for name in PACKED:
        # No time in the header: the same version gives the same bytes.
        (STATIC / f"{name}.gz").write_bytes(gzip.compress(files[name], 9, mtime=0))
    for name, kept_as in PLAIN.items():
        (STATIC / kept_as).write_bytes(files[name])
    print(f"swagger-ui-dist {version} is in {STATIC}")


if __name__ == "__main__":
    main()
