#!/usr/bin/env bash
# Install what some tests need and a bare machine lacks: a Chromium for the pages. Without it they are skipped, with a word.
set -u
for name in chromium google-chrome chromium-browser; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing Chromium for the tests of the pages"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
    >/dev/null 2>&1 && exit 0
fi
echo "no Chromium here: the tests of the pages will be skipped (Debian: apt-get install chromium)"
