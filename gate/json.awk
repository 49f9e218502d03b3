# Reads JSON as Docker writes it; part of the gate, used with files.awk. Docker writes the structure, but anybody may
# have written the strings in it. So a value never counts as a key, and a setting counts only in the exact
# place where Docker puts it.
#
# A program that uses this file defines the hooks that `scan` calls:
#
#   opened(where)                     an object or a list begins
#   keyed(part, i, j)                 a key: join(part, i, j)
#   value(where, name, part, i, j)    a string, in the object or list at `where`: join(part, i, j)
#   closed(where)                     the object or list ends
#   ended(part, n)                    the document ends
#
# `where` is the path to an object or list: raw keys, each with \001 in front of it. A key cannot contain
# \001. `reading` names the document that is being read.

# Split at the quotes, the parts are outside and inside of strings by turns. A quote after an odd number of
# backslashes does not end its string.
function scan(text, document,   n, part, i, first) {
  reading = document
  n = split(text, part, "\"")
  depth = 0; path[0] = ""; key[0] = ""; shape[0] = "["
  roots = 0
  for (i = 1; i <= n; i++) {
    # Between the strings of a long list.
    if (part[i] == ",") want_key[depth] = (shape[depth] == "{")
    else structure(part[i])
    if (i == n) break
    first = ++i
    while (i <= n && part[i] ~ /\\$/ && is_escaped(part[i])) i++
    if (i >= n) fail("a file that Docker wrote is cut short")
    if (shape[depth] == "{" && want_key[depth]) {
      key[depth] = join(part, first, i)
      keyed(part, first, i)
    } else value(path[depth], key[depth], part, first, i)
  }
  if (depth != 0 || roots != 1) fail("a file that Docker wrote is cut short")
  ended(part, n)
}

function structure(text,   i, c, count) {
  if (length(text) > 20) gsub(/[ \t\r\n]+/, "", text)
  count = length(text)
  for (i = 1; i <= count; i++) {
    c = substr(text, i, 1)
    if (c == ",") want_key[depth] = (shape[depth] == "{")
    else if (c == ":") want_key[depth] = 0
    else if (c == "{" || c == "[") {
      path[depth + 1] = path[depth] "\001" key[depth]
      if (depth == 0) roots++
      opened(path[depth + 1])
      depth++
      shape[depth] = c; key[depth] = ""; want_key[depth] = (c == "{")
    } else if (c == "}" || c == "]") {
      if (depth == 0) fail("a file that Docker wrote is damaged")
      closed(path[depth])
      depth--
    }
  }
}

function join(part, first, last,   i, text) {
  text = part[first]
  for (i = first + 1; i <= last; i++) text = text "\"" part[i]
  return text
}

function is_escaped(text) {
  match(text, /\\+$/)
  return RLENGTH % 2
}

function decode(text,   at, c, out) {
  while ((at = index(text, "\\")) > 0) {
    c = substr(text, at + 1, 1)
    out = out substr(text, 1, at - 1)
    if (c == "u") {
      text = decode_unicode(substr(text, at))
      out = out decoded
    } else {
      out = out (index("bfnrt", c) ? substr("\b\f\n\r\t", index("bfnrt", c), 1) : c)
      text = substr(text, at + 2)
    }
  }
  return out text
}

# Sets `decoded` to the first character of the text, and returns the rest.
function decode_unicode(text,   code, low) {
  code = hex(substr(text, 3, 4))
  text = substr(text, 7)
  if (code >= 55296 && code < 56320 && substr(text, 1, 2) == "\\u") {
    low = hex(substr(text, 3, 4))
    if (low >= 56320 && low < 57344) {
      code = 65536 + (code - 55296) * 1024 + low - 56320
      text = substr(text, 7)
    }
  }
  decoded = utf8(code)
  return text
}

function hex(digits,   i, number) {
  for (i = 1; i <= 4; i++) number = number * 16 + index("123456789abcdef", tolower(substr(digits, i, 1)))
  return number
}

# Half a surrogate pair and NUL become the replacement character: not every awk keeps them.
function utf8(code) {
  if (code == 0 || (code >= 55296 && code < 57344)) code = 65533
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
  if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
  return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}

# Writes a document without the strings at the places `without`. Each of them is an item of a list.
function write_without(part, n, without, file,   i, held) {
  held = part[1]
  for (i = 2; i <= n; i++) {
    if (i in without) {
      i++
      if (!sub(/^[ \t\n]*,/, "", part[i])) sub(/,[ \t\n]*$/, "", held)
      held = held part[i]
    } else {
      printf "%s\"", held > file
      held = part[i]
    }
  }
  # awk added a line end to the last line when it read the document.
  sub(/\n$/, "", held)
  print held > file
  if (close(file) != 0) fail("could not write " file)
}
