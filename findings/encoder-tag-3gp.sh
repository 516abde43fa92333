#!/usr/bin/env bash
# What FFmpeg leaves of itself in files of the MP4 family, which one muxer writes.
# Most would expect: the encoder's name (`©too` or `©swr` with "Lavf…") stands in all of them, so that a file without it was not written by FFmpeg.
# Seen: MP4, M4A and MOV have it; 3GP and 3G2, as telephones record, have none, neither of the tags nor of its version. The title that was
# asked for is there, as 3GPP's own `titl`. Whoever looks where a 3GP comes from finds no writer, and may not take that for a telephone.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.6.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import re
import subprocess
import sys

import imageio_ffmpeg

ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
print("imageio-ffmpeg", imageio_ffmpeg.__version__, "with FFmpeg", imageio_ffmpeg.get_ffmpeg_version())
seen = {}
for ending in ("mp4", "m4a", "mov", "3gp", "3g2"):
    path = f"tone.{ending}"
    source = ["-f", "lavfi", "-i", "sine=440:duration=1", "-c:a", "aac", "-metadata", "title=Interview"]
    subprocess.run([ffmpeg, "-v", "error", *source, path], check=True)
    data = open(path, "rb").read()
    moov = data[data.index(b"moov") :]
    seen[ending] = bool(re.search(rb"Lavf\d", moov))
    print(f"{ending}: the muxer's name {'stands' if seen[ending] else 'does not stand'} in moov; title kept as",
          "titl" if b"titl" in moov else "a tag of its own" if b"Interview" in moov else "nothing")
expected = {"mp4": True, "m4a": True, "mov": True, "3gp": False, "3g2": False}
print("expected by most: in all; seen: in", ", ".join(ending for ending, has in seen.items() if has))
sys.exit(0 if seen == expected else "This has changed.")
PYTHON
