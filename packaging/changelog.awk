# Turns CHANGELOG.md into a changelog of Debian. The first section is of the version that is packaged.
#
#   awk -v version=VERSION -v date=DATE -v who=MAINTAINER -v revision=REVISION -f FILE CHANGELOG.md
#
# A later section is headed `## VERSION (YYYY-MM-DD)`.

# entry: prints what was collected of one entry, in lines of 80 characters.
function entry(   words, count, i, line) {
  count = split(text, words, " ")
  line = "  *"
  for (i = 1; i <= count; i++) {
    if (length(line " " words[i]) > 80) {
      print line
      line = "   "
    }
    line = line " " words[i]
  }
  if (count) print line
  text = ""
}

function finish() {
  entry()
  if (open) printf "\n -- %s  %s\n", who, stamp
  open = 0
}

/^## / {
  finish()
  if (sections++) {
    version = $2
    command = "LC_ALL=C date -u -R -d " substr($3, 2, 10)
    command | getline stamp
    close(command)
    printf "\n"
  } else {
    stamp = date
  }
  printf "loomshim (%s) unstable; urgency=medium\n\n", version
  if (sections == 1) printf "  * Built from revision %s.\n", revision
  open = 1
  next
}

open && /^- / {
  entry()
  text = substr($0, 3)
  next
}

open && /^  / { text = text " " $0 }

END { finish() }
