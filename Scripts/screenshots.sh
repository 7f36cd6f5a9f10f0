#!/usr/bin/env bash
# Takes a picture of each chart of pages that 'smelt gas report' and 'smelt gas trace --format html' wrote: at two
# widths, light and dark, by headless Chromium (Debian's package). PAGE… OUT; OUT/ID-WIDTH-light.png and so on.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: Scripts/screenshots.sh PAGE… OUT" >&2; exit 64; }
out=${!#}
command -v chromium > /dev/null || { echo "not run: there is no chromium (apt-get install chromium)" >&2; exit 1; }
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for page in "${@:1:$#-1}"; do
    # A page for each section, with the styles of the whole one; its height follows from the chart's shape.
    python3 - "$page" "$work" > "$work/list" << 'END'
import pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
head = text[:text.index("<body>") + 6]
for name, body in re.findall(r'<section id="([a-z-]+)">(.*?)</section>', text, re.S):
    box = re.search(r'class="(?:chart|flame)" viewBox="0 0 ([\d.]+) ([\d.]+)"', body)
    if box is None:
        continue
    pathlib.Path(sys.argv[2], name + ".html").write_text(head + body + "</body></html>", encoding="utf-8")
    print(name, float(box[2]) / float(box[1]))
END
    while read -r name shape; do
        for width in 1280 480; do
            # The chart is never narrower than 44rem; a heading and lines of text stand around it.
            height=$(python3 -c "print(int(max(min($width, 1216) - 32, 704) * $shape) + (170 if $width > 600 else 240))")
            for scheme in light:1 dark:0; do
                chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$width,$height" \
                    --blink-settings=preferredColorScheme="${scheme#*:}" \
                    --screenshot="$out/$name-$width-${scheme%:*}.png" "file://$work/$name.html" > /dev/null 2>&1
                [ -s "$out/$name-$width-${scheme%:*}.png" ] || { echo "$name: no picture" >&2; exit 1; }
                echo "$out/$name-$width-${scheme%:*}.png"
            done
        done
    done < "$work/list"
done
