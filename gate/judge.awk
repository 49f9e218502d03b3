# What one container asks for, read from what Docker wrote about it; part of the gate (see `runtime`).
#
#   LC_ALL=C awk -f judge.awk <bundle> <id> <containers> <run dir>
#
# <bundle> holds the OCI config.json; <containers> is Docker's folder of containers, whose
# <id>/config.v2.json holds the labels (they are in no bundle). Prints
#
#   pass                       it asks for nothing
#   broken <why>               nobody can tell what it asks for: it must not start
#   workload                   and then
#   own | shared               a network namespace made for it alone, or one that others are in
#   <addresses>                of its IPv4 resolvers, after a comma each
#   <addresses>                of its IPv6 resolvers
#   <name>                     all remaining lines: what its prepared rules are named after
#
# The words mean what src/domain/workload.ts says; what is not understood is read in the closed sense.
# All of this JSON is Docker's, but the strings in it are anybody's: a value never counts as a key, and
# nothing is taken for ours that does not stand in the very place where Docker puts it.

BEGIN {
  bundle = ARGV[1]; id = ARGV[2]; containers = ARGV[3]; run_dir = ARGV[4]
  prepare()
  config = slurp(bundle "/config.json")
  if (config == "") broken("there is no " bundle "/config.json")
  labels = labels_file()
  # Nearly all containers end here. A letter in JSON is itself or \u00XX, so this overlooks nothing.
  if (!(config ~ /EGRESSTRATOR_ENABLE|\\u00[45]/) && !(labels ~ /egresstrator\.enable|\\u002[eE]|\\u00[67]/)) say("pass")
  if (!scanned) scan(config, "bundle")
  if (labels != "") scan(labels, "labels")
  if (!is_on(setting("ENABLE"))) say("pass")
  print "workload"
  print (own_network ? "own" : "shared")
  find_resolvers()
  print resolvers4
  print resolvers6
  say(canonical())
}

function say(text) {
  print text
  exit 0
}

function broken(why) {
  say("broken " why)
}

function slurp(path,   line, text) {
  while ((getline line < path) > 0) text = text line "\n"
  close(path)
  return text
}

# --- where the labels are --------------------------------------------------------------------------

# Docker's root may have moved since the gate was installed: then the files that Docker mounts tell.
# Its plugins run in a containerd namespace of their own, and have no labels.
function labels_file(   text, i) {
  text = slurp(containers "/" id "/config.v2.json")
  if (text != "" || bundle ~ /\/plugins\.[^\/]*\/[^\/]*$/) return text
  scan(config, "bundle")
  for (i = 1; i <= mounts && text == ""; i++) {
    if (source[i] ~ /\/containers\/[0-9a-f]+\/(resolv\.conf|hostname|hosts)$/) {
      docker_folder = source[i]
      sub(/\/[0-9a-f]+\/[^\/]*$/, "", docker_folder)
      text = slurp(docker_folder "/" id "/config.v2.json")
      containers = docker_folder
    }
  }
  if (text == "") broken("its labels are in no config.v2.json; after moving Docker's data, run: egresstrator gate install")
  return text
}

# --- JSON ------------------------------------------------------------------------------------------

# Walks through a document and hands over each string with the path of the object or list that it is in.
# Cut at the quotes, texts are outside and inside of strings by turns; a quote after an odd number of
# backslashes does not end its string. Paths are made of raw keys, in which \001 can not occur.
function scan(text, kind,   n, part, i, first) {
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
    if (i >= n) broken("a file that Docker wrote is cut short")
    if (shape[depth] == "{" && want_key[depth]) key[depth] = join(part, first, i)
    else value(part, first, i, kind)
  }
  if (depth != 0 || roots != 1) broken("a file that Docker wrote is cut short")
  if (kind == "bundle") scanned = 1
}

function structure(text,   i, c, count) {
  count = length(text)
  for (i = 1; i <= count; i++) {
    c = substr(text, i, 1)
    if (c == ",") want_key[depth] = (shape[depth] == "{")
    else if (c == ":") want_key[depth] = 0
    else if (c == "{" || c == "[") {
      path[depth + 1] = path[depth] "\001" key[depth]
      if (depth == 0) roots++
      if (path[depth + 1] == MOUNTS) mounts++
      if (path[depth + 1] == NAMESPACES) network = namespace_path = ""
      depth++
      shape[depth] = c; key[depth] = ""; want_key[depth] = (c == "{")
    } else if (c == "}" || c == "]") {
      if (depth == 0) broken("a file that Docker wrote is damaged")
      if (path[depth] == NAMESPACES && network) own_network = (namespace_path == "")
      depth--
    }
  }
}

function value(part, first, last, kind) {
  if (kind == "bundle") bundle_value(path[depth], key[depth], part, first, last)
  else if (kind == "labels") {
    if (path[depth] == LABELS) keep_label(decode(key[depth]), part, first, last)
  } else if (path[depth] == DNS) name_servers = name_servers " " decode(join(part, first, last))
}

function bundle_value(where, name, part, first, last,   text) {
  if (where == ENVIRONMENT) {
    # Anybody's strings can be long; only those are put together that may be ours.
    if (part[first] ~ /^EGRESSTRATOR_|^[^=]*\\/) keep_variable(decode(join(part, first, last)))
  } else if (where == MOUNTS) {
    text = decode(join(part, first, last))
    if (name == "source") source[mounts] = text
    if (name == "destination") destination[mounts] = text
  } else if (where == NAMESPACES) {
    text = join(part, first, last)
    if (name == "type" && text == "network") network = 1
    if (name == "path") namespace_path = text
  }
}

# Of equal names the last counts.
function keep_variable(text,   at) {
  at = index(text, "=")
  if (at > 1 && substr(text, 1, 13) == "EGRESSTRATOR_") variable[substr(text, 14, at - 14)] = substr(text, at + 1)
}

function keep_label(name, part, first, last) {
  if (name ~ /^egresstrator\.[a-z]+$/) label[toupper(substr(name, 14))] = decode(join(part, first, last))
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
      out = out (c in ESCAPE ? ESCAPE[c] : c)
      text = substr(text, at + 2)
    }
  }
  return out text
}

# Sets `decoded` to the character that the text begins with, and returns the rest.
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

# Half a surrogate pair and NUL, which no awk can be relied on to keep, become the replacement character.
function utf8(code) {
  if (code == 0 || (code >= 55296 && code < 57344)) code = 65533
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
  if (code < 65536) return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
  return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, 128 + int(code / 64) % 64, 128 + code % 64)
}

# --- words -----------------------------------------------------------------------------------------

# The variable counts where the label speaks too.
function setting(word) {
  return word in variable ? variable[word] : word in label ? label[word] : ""
}

function is_on(text) {
  text = tolower(trim(text))
  return text != "" && text !~ /^(0|false|no|off)$/
}

# A word, or what stands for none, or what stands for one that is not known.
function one_of(text, words, absent, unknown) {
  text = tolower(trim(text))
  if (text == "") return absent
  return text ~ "^(" words ")$" ? text : unknown
}

# What JavaScript calls white space.
function trim(text) {
  while (sub(SPACE_BEFORE, "", text)) continue
  while (sub(SPACE_AFTER, "", text)) continue
  return text
}

# The same for the same rules, however they are asked for. Keys have their length in bytes in front.
function canonical(   n, item, i, j, text, keys, known, text_of_all, mode) {
  n = split(setting("ACL"), item, ",")
  for (i = 1; i <= n; i++) {
    text = trim(item[i])
    if (text == "" || text in known) continue
    known[text]
    for (j = keys++; j > 0 && (sorted[j] "") > (text ""); j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = text
  }
  mode = one_of(setting("MODE"), "enforce|audit", "", "enforce")
  if (mode == "") mode = one_of(slurp(run_dir "/prepared/mode"), "enforce|audit", "enforce", "enforce")
  text_of_all = "egresstrator 1 " mode " " one_of(setting("DNS"), "resolvers|none", "resolvers", "none")
  for (i = 1; i <= keys; i++) text_of_all = text_of_all "\n" length(sorted[i]) ":" sorted[i]
  return text_of_all "\nend"
}

# --- resolvers -------------------------------------------------------------------------------------

# As src/adapters/docker/resolvers.ts: the file's name servers, and behind Docker's own resolver those
# that it forwards to from inside the namespace. Engines before 26 do not tell them in the file: then it
# is the container's --dns, or the Engine's own, which the controller writes down.
function find_resolvers(   i, file) {
  for (i = 1; i <= mounts; i++) if (destination[i] == "/etc/resolv.conf") file = source[i]
  if (file == "") return
  read_resolv_conf(regular(file))
  if (!asks_docker || told) return
  scan_host_config()
  if (name_servers != "") { add_resolvers(name_servers); return }
  engines_own(run_dir "/prepared/resolvers")
  if (!told) engines_own("/etc/resolv.conf")
  if (!told) engines_own("/run/systemd/resolve/resolv.conf")
}

# A mounted file may be a device or a pipe that never ends; Docker's own is a plain file.
function regular(file,   quoted) {
  if (index(file, containers "/") == 1 && containers != "") return slurp(file)
  quoted = file
  gsub(/'/, "'\\''", quoted)
  return slurp_command("test -f '" quoted "' && head -c 65536 '" quoted "'")
}

function slurp_command(command,   line, text) {
  while ((command | getline line) > 0) text = text line "\n"
  close(command)
  return text
}

function read_resolv_conf(text,   n, line, i, word) {
  n = split(text, line, "\n")
  for (i = 1; i <= n && i <= 1000; i++) {
    sub(/\r$/, "", line[i])
    if (line[i] ~ /^[ \t]*nameserver[ \t]+[^ \t]/) {
      split(line[i], word, /nameserver[ \t]+/)
      sub(/[ \t].*/, "", word[2])
      if (word[2] == "127.0.0.11") asks_docker = 1
      add_resolvers(word[2])
    } else if (line[i] ~ /^[ \t]*[#;][ \t]*ExtServers:/) {
      told = 1
      sub(/^[^:]*:/, "", line[i])
      gsub(/host\([^)]*\)/, " ", line[i])
      add_resolvers(line[i])
    }
  }
}

function engines_own(file,   text) {
  text = slurp(file)
  if (text == "") return
  read_resolv_conf(text)
  told = resolvers4 != "" || resolvers6 != ""
}

function scan_host_config(   text) {
  text = slurp(containers "/" id "/hostconfig.json")
  if (text != "") scan(text, "host")
}

# Only what is an address and leads out of the namespace; the file can be written by the container.
function add_resolvers(words,   n, word, i) {
  n = split(words, word, /[][, \t]+/)
  for (i = 1; i <= n; i++) {
    sub(/%.*/, "", word[i])
    if (is_ipv4(word[i])) {
      if (word[i] !~ /^127\./) resolvers4 = resolvers4 ", " word[i]
    } else if (is_ipv6(word[i]) && word[i] != "::1" && tolower(word[i]) !~ /^::ffff:127\./) resolvers6 = resolvers6 ", " word[i]
  }
}

function is_ipv4(text,   n, byte, i) {
  if (text !~ /^[0-9.]+$/ || length(text) > 15) return 0
  n = split(text, byte, ".")
  for (i = 1; i <= n; i++) if (byte[i] !~ /^(0|[1-9][0-9]?[0-9]?)$/ || byte[i] + 0 > 255) return 0
  return n == 4
}

# At most one "::", which stands for one group or more; the last two groups may be written as IPv4.
function is_ipv6(text,   n, group, i, groups, gap) {
  if (text !~ /^[0-9A-Fa-f:.]+$/ || text !~ /:/ || text ~ /:::/ || length(text) > 45) return 0
  gap = text ~ /::/
  if (gap && substr(text, index(text, "::") + 2) ~ /::/) return 0
  if (text ~ /^:[^:]/ || text ~ /[^:]:$/) return 0
  n = split(text, group, ":")
  for (i = 1; i <= n; i++) {
    if (group[i] == "") continue
    groups++
    if (i == n && is_ipv4(group[i])) groups++
    else if (group[i] !~ /^[0-9A-Fa-f][0-9A-Fa-f]?[0-9A-Fa-f]?[0-9A-Fa-f]?$/) return 0
  }
  return gap ? groups < 8 : groups == 8
}

# --- tables ----------------------------------------------------------------------------------------

function prepare(   space, top) {
  top = "\001"
  ENVIRONMENT = top top "process" top "env"
  MOUNTS = top top "mounts" top
  NAMESPACES = top top "linux" top "namespaces" top
  LABELS = top top "Config" top "Labels"
  DNS = top top "Dns"
  ESCAPE["b"] = "\b"; ESCAPE["f"] = "\f"; ESCAPE["n"] = "\n"; ESCAPE["r"] = "\r"; ESCAPE["t"] = "\t"
  space = "[ \t\n\v\f\r]|\302\240|\341\232\200|\342\200[\200-\212\250\251\257]|\342\201\237|\343\200\200|\357\273\277"
  SPACE_BEFORE = "^(" space ")+"
  SPACE_AFTER = "(" space ")+$"
}
