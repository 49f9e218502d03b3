# Finds out which rules one container requests, from the files that Docker wrote about it; part of the gate (see
# `runtime`).
#
#   LC_ALL=C awk -f files.awk -f json.awk -f request.awk <bundle> <id> <containers> <run dir> [<without>]
#
# <bundle> holds the OCI config.json. <containers> is Docker's folder of containers: <id>/config.v2.json there
# holds the labels, which are in no bundle. This prints one of
#
#   pass                       the container requests no rules
#   failed <reason>            its request is unreadable: it must not start
#   workload                   it requests rules; these lines follow:
#   own | shared               it has a network namespace of its own, or shares one with other containers
#   none | asked | given       CAP_NET_RAW: absent, requested when the container was created, or Docker's default
#   <file>                     its /etc/resolv.conf on the host; empty: none
#   <addresses>                its resolvers as given by --dns
#   ingress <n>                only if it names ingress keys: the next n lines are the name of its prepared ingress
#                              rules, before hashing
#   <name>                     all remaining lines: the name of its prepared egress rules, before hashing; "end" alone
#                              if it requests ingress rules only
#
# <without> names a new file. If the container requests egress rules and has CAP_NET_RAW only by default, config.json
# without CAP_NET_RAW is written there.
#
# src/features/egress/workload.ts defines what the settings mean. A value that is not understood is read in the
# stricter sense. Both implementations pass test/vectors/container-words.json.

BEGIN {
  bundle = ARGV[1]; id = ARGV[2]; containers = ARGV[3]; run_dir = ARGV[4]; without = ARGV[5]
  prepare()
  config = slurp(bundle "/config.json")
  if (config == "") fail("there is no " bundle "/config.json")
  labels = labels_file()
  # Nearly all containers end here. JSON writes a letter as itself or as \u00XX, so this misses no setting.
  if (!(config ~ /EGRESSTRATOR_(ENABLE|INGRESS)|\\u00[45]/) && !(labels ~ /egresstrator\.(enable|ingress)|\\u002[eE]|\\u00[67]/)) finish("pass")
  if (!scanned) scan(config, "bundle")
  if (labels != "") scan(labels, "labels")
  read_image()
  egress = is_enabled()
  ingress = names_ingress_keys()
  if (!egress && !ingress) finish("pass")
  read_host_config()
  print "workload"
  print (own_network ? "own" : "shared")
  # What comes in is filtered before any program here can read it.
  print (egress ? raw_sockets() : (has_raw ? "asked" : "none"))
  print one_line(source[resolver_mount])
  print one_line(name_servers)
  if (ingress) print_ingress()
  print (egress ? canonical("ACL", "egresstrator 1 " mode() " " dns()) : "end")
  # This comes last: a request that cannot be read changes no file.
  if (without != "" && egress && raw_sockets() == "given") scan(config, "without")
}

# --- finding and reading Docker's files ----------------------------------------------------------------

# Docker's root may have moved since the gate was installed. Then the mounts of Docker's own files show where it is.
# Docker's plugins run in a containerd namespace of their own, and have no labels.
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
  if (text == "") fail("its labels are in no config.v2.json; after moving Docker's data, run: egresstrator gate install")
  return text
}

# Reads the image's own variables and labels, because Docker merges them into the container's. The file is missing
# if the Engine keeps images in containerd's store, or if the image was removed while its containers stayed. Then any
# setting may come from the image. The same holds if the file is larger than any ordinary image's.
function read_image(   text) {
  if (image !~ /^sha256:[0-9a-f]+$/ || driver !~ /^[a-z0-9-]+$/) return
  text = slurp(containers "/../image/" driver "/imagedb/content/sha256/" substr(image, 8))
  if (text == "" || length(text) > 4194304) return
  image_is_known = 1
  if (text ~ /EGRESSTRATOR_|egresstrator\.|\\u00/) scan(text, "image")
}

function read_host_config(   text) {
  text = slurp(containers "/" id "/hostconfig.json")
  if (text != "") scan(text, "host")
}

function keyed(part, first, last) {
  if (reading == "image" && part[first] ~ /egresstrator|\\/) label_named(decode(join(part, first, last)))
}

function opened(where) {
  if (where == MOUNTS) mounts++
  if (where == NAMESPACES) network = namespace_path = ""
}

function closed(where) {
  if (where == NAMESPACES && network) own_network = (namespace_path == "")
}

function value(where, name, part, first, last) {
  if (reading == "bundle") bundle_value(where, name, part, first, last)
  else if (reading == "without") { if (where ~ CAPABILITIES && part[first] == "CAP_NET_RAW") is_raw[first] }
  else if (reading == "labels") label_value(where, name, part, first, last)
  else if (reading == "image") image_value(where, name, part, first, last)
  else if (where == DNS) name_servers = name_servers " " decode(join(part, first, last))
  else if (where == CAP_ADD && part[first] ~ /^([Cc][Aa][Pp]_)?([Nn][Ee][Tt]_[Rr][Aa][Ww]|[Aa][Ll][Ll])$/) asks_for_raw = 1
}

function ended(part, n) {
  if (reading == "bundle") scanned = 1
  if (reading == "without") write_without(part, n, is_raw, without)
}

function bundle_value(where, name, part, first, last,   text) {
  if (where == ENVIRONMENT) {
    # A variable can be long; only those are joined that may be settings of egresstrator.
    if (part[first] ~ /^EGRESSTRATOR_|^[^=]*\\/) keep_variable(decode(join(part, first, last)))
  } else if (where == MOUNTS) {
    text = decode(join(part, first, last))
    if (name == "source") source[mounts] = text
    if (name == "destination" && text == "/etc/resolv.conf") resolver_mount = mounts
  } else if (where == NAMESPACES) {
    text = join(part, first, last)
    if (name == "type" && text == "network") network = 1
    if (name == "path") namespace_path = text
  } else if (where ~ CAPABILITIES) {
    if (part[first] == "CAP_NET_RAW") has_raw = 1
    # A container that may change the rules can remove them anyway.
    if (part[first] == "CAP_NET_ADMIN") asks_for_raw = 1
  }
}

function label_value(where, name, part, first, last) {
  if (where == LABELS) keep_label(decode(name), part, first, last)
  else if (where == TOP && name == "Image") image = join(part, first, last)
  else if (where == TOP && name == "Driver") driver = join(part, first, last)
}

# The image's author writes this file in any form. Docker's JSON parser (Go) ignores the case of keys, accepts
# escapes in them, and takes the last of two equal keys. So a setting counts as the image's wherever it is in the file.
function image_value(where, name, part, first, last) {
  if (part[first] ~ /^EGRESSTRATOR_|^[^=]*\\/) keep_image_variable(decode(join(part, first, last)))
  if (name ~ /egresstrator|\\/) keep_image_label(decode(name), decode(join(part, first, last)))
}

function keep_image_variable(text,   at) {
  at = index(text, "=")
  if (at > 1 && substr(text, 1, 13) == "EGRESSTRATOR_") image_variable[substr(text, 14, at - 14), coarse(substr(text, at + 1))]
}

function label_named(name) {
  if (name ~ /^egresstrator\.[a-z]+$/) unvalued[toupper(substr(name, 14))]++
}

# A label whose value is not a string, such as null, keeps its count in `unvalued`: it may have any value.
function keep_image_label(name, text) {
  if (name !~ /^egresstrator\.[a-z]+$/) return
  name = toupper(substr(name, 14))
  unvalued[name]--
  image_label[name, coarse(text)]
}

# Docker replaces invalid UTF-8, so texts are compared with each run of non-ASCII bytes replaced by one byte.
function coarse(text) {
  gsub(/[\200-\377]+/, "\377", text)
  return text
}

# Keeps the values in the order of config.json.
function keep_variable(text,   at, name) {
  at = index(text, "=")
  if (at <= 1 || substr(text, 1, 13) != "EGRESSTRATOR_") return
  name = substr(text, 14, at - 14)
  variable[name, ++times[name]] = substr(text, at + 1)
}

function keep_label(name, part, first, last) {
  if (name ~ /^egresstrator\.[a-z]+$/) label[toupper(substr(name, 14))] = decode(join(part, first, last))
}

# --- settings --------------------------------------------------------------------------------------

function raw_sockets() {
  return has_raw ? (asks_for_raw ? "asked" : "given") : "none"
}

# Sets `candidate` and `candidates` to the values that a setting may have, and `is_runners` if one of them certainly
# comes from whoever created the container, not from the image. src/inventory/container-settings.ts says why.
function read_setting(word,   i) {
  candidates = 0; is_runners = 0
  for (i = 1; i <= times[word]; i++) if (!variable_is_images(word, variable[word, i])) is_runners = 1
  if (is_runners) {
    candidate[++candidates] = variable[word, times[word]]
    return
  }
  for (i = 1; i <= times[word]; i++) candidate[++candidates] = variable[word, i]
  if (word in label) {
    candidate[++candidates] = label[word]
    is_runners = !label_is_images(word, label[word])
  }
}

function variable_is_images(word, text) {
  return !image_is_known || ((word, coarse(text)) in image_variable)
}

function label_is_images(word, text) {
  return !image_is_known || unvalued[word] > 0 || ((word, coarse(text)) in image_label)
}

function is_enabled(   i) {
  read_setting("ENABLE")
  for (i = 1; i <= candidates; i++) if (is_on(candidate[i])) return 1
  return 0
}

# Any value counts, an empty one too.
function names_ingress_keys() {
  read_setting("INGRESS")
  return candidates > 0
}

function is_on(text) {
  text = tolower(trim(text))
  return text != "" && text !~ /^(0|false|no|off)$/
}

# Returns the text if it is one of `words`, `absent` if it is empty, and `unknown` otherwise.
function one_of(text, words, absent, unknown) {
  text = tolower(trim(text))
  if (text == "") return absent
  return text ~ "^(" words ")$" ? text : unknown
}

# Removes what JavaScript calls white space, as the controller does.
function trim(text) {
  while (sub(SPACE_BEFORE, "", text)) continue
  while (sub(SPACE_AFTER, "", text)) continue
  return text
}

# Audit lets packets pass, so an image alone cannot choose it.
function mode(   absent, i) {
  absent = one_of(slurp(run_dir "/prepared/mode"), "enforce|audit", "enforce", "enforce")
  read_setting("MODE")
  if (!candidates) return absent
  for (i = 1; i <= candidates; i++) if (one_of(candidate[i], "enforce|audit", absent, "enforce") == "enforce") return "enforce"
  return is_runners ? "audit" : absent
}

# Without a word it is "resolvers" too: the controller turns that into "names" where a key has a rule by name.
function dns(   i, word, strictest) {
  read_setting("DNS")
  strictest = "resolvers"
  for (i = 1; i <= candidates; i++) {
    word = one_of(candidate[i], "names|resolvers|none", "resolvers", "none")
    if (word == "none") return "none"
    if (word == "names") strictest = "names"
  }
  return strictest
}

# Sets `keys` and `sorted` to the keys that all candidates name.
function find_keys(word,   i, j, text, named) {
  read_setting(word)
  keys = 0
  for (i = 1; i <= candidates; i++) read_keys(candidate[i], i, named)
  for (text in named) {
    if (named[text] != candidates) continue
    for (j = keys++; j > 0 && (sorted[j] "") > (text ""); j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = text
  }
}

# Counts in `named` by how many candidates, up to `index_`, each key is named. A list that is too long
# names none (MOST_LIST_BYTES and MOST_KEYS in src/features/egress/workload.ts).
function read_keys(text, index_, named,   n, item, i, key, fresh, found) {
  if (length(text) > 4096) return
  n = split(text, item, ",")
  for (i = 1; i <= n; i++) {
    key = trim(item[i])
    if (key == "" || key in fresh) continue
    fresh[key]
    found++
  }
  if (found > 128) return
  for (key in fresh) if (index_ == 1 || named[key] == index_ - 1) named[key] = index_
}

function print_ingress(   text, line) {
  text = canonical("INGRESS", "egresstrator ingress 1 " mode())
  print "ingress " split(text, line, "\n")
  print text
}

# Returns one text for all requests that lead to the same rules. Each key follows its length in bytes.
function canonical(word, text,   i) {
  find_keys(word)
  for (i = 1; i <= keys; i++) text = text "\n" length(sorted[i]) ":" sorted[i]
  return text "\nend"
}

# Docker writes no line break into a path or an address.
function one_line(text) {
  return text ~ /\n/ ? "" : text
}

# --- constants -------------------------------------------------------------------------------------

function prepare(   space, top) {
  top = "\001"
  TOP = top
  ENVIRONMENT = top top "process" top "env"
  CAPABILITIES = "^" top top "process" top "capabilities" top "[a-z]+$"
  MOUNTS = top top "mounts" top
  NAMESPACES = top top "linux" top "namespaces" top
  LABELS = top top "Config" top "Labels"
  DNS = top top "Dns"
  CAP_ADD = top top "CapAdd"
  space = "[ \t\n\v\f\r]|\302\240|\341\232\200|\342\200[\200-\212\250\251\257]|\342\201\237|\343\200\200|\357\273\277"
  SPACE_BEFORE = "^(" space ")+"
  SPACE_AFTER = "(" space ")+$"
}
