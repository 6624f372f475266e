# Prepares a document of the repository for a package: a link to another document of the package leads to its place
# there; the text of a link to anything else of the repository stays without the link, and a picture goes.
#
#   awk -v from=docs/INSPECT.md -v at=docs -v places='README.md=README.md docs/INSTALL.md=docs/INSTALL.md …' -f FILE
#
# from: the document's path in the repository; at: its directory in the package, empty for the top; places: where each
# document of the repository is in the package.

BEGIN {
  RS = "\001"  # the whole file: a link may go over two lines
  count = split(places, list, " ")
  for (i = 1; i <= count; i++) {
    split(list[i], pair, "=")
    place[pair[1]] = pair[2]
  }
  top = at == "" ? "" : "../"
}

# plain PATH: without `.` and `..`.
function plain(path,   parts, count, i, out, depth) {
  count = split(path, parts, "/")
  depth = 0
  for (i = 1; i <= count; i++) {
    if (parts[i] == ".." && depth > 0) depth--
    else if (parts[i] != "." && parts[i] != "") out[++depth] = parts[i]
  }
  path = ""
  for (i = 1; i <= depth; i++) path = path (i > 1 ? "/" : "") out[i]
  return path
}

# linked TARGET: where it leads in the package; empty when it is not there.
function linked(target,   anchor, directory, file) {
  if (target ~ /^[a-z]+:/ || target ~ /^#/) return target
  anchor = ""
  if (match(target, /#/)) {
    anchor = substr(target, RSTART)
    target = substr(target, 1, RSTART - 1)
  }
  directory = from
  if (!sub(/\/[^\/]*$/, "", directory)) directory = ""
  file = plain(directory "/" target)
  if (!(file in place)) return ""
  file = place[file]
  if (at != "" && index(file, at "/") == 1) return substr(file, length(at) + 2) anchor
  return top file anchor
}

{
  rest = $0
  out = ""
  while (match(rest, /!?\[[^][]*\]\([^() \n]*\)/)) {
    out = out substr(rest, 1, RSTART - 1)
    link = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH)
    text = link
    sub(/\]\([^()]*\)$/, "", text)
    target = substr(link, length(text) + 3, length(link) - length(text) - 3)
    where = linked(target)
    if (text ~ /^!/) {
      if (where != "") out = out link
    } else {
      text = substr(text, 2)
      out = out (where == "" ? text : "[" text "](" where ")")
    }
  }
  printf "%s", out rest
}
