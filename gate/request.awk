# What one container asks for, read from what Docker wrote about it; part of the gate (see `runtime`).
#
#   LC_ALL=C awk -f files.awk -f json.awk -f request.awk <bundle> <id> <containers> <run dir> [<without>]
#
# <bundle> holds the OCI config.json; <containers> is Docker's folder of containers, whose
# <id>/config.v2.json holds the labels (they are in no bundle). Prints
#
#   pass                       it asks for nothing
#   failed <why>               nobody can tell what it asks for: it must not start
#   workload                   and then
#   own | shared               a network namespace made for it alone, or one that others are in
#   none | asked | given       CAP_NET_RAW: not there, asked for by who runs it, or given by default
#   <file>                     its /etc/resolv.conf on the host; empty: none
#   <addresses>                the resolvers that it was given by --dns
#   <name>                     all remaining lines: what its prepared rules are named after
#
# With <without>, a name for a new file: if CAP_NET_RAW was only given by default, that file is written,
# config.json without it.
#
# The words mean what src/features/egress/workload.ts says; what is not understood is read in the closed sense. Both pass
# test/vectors/container-words.json.

BEGIN {
  bundle = ARGV[1]; id = ARGV[2]; containers = ARGV[3]; run_dir = ARGV[4]; without = ARGV[5]
  prepare()
  config = slurp(bundle "/config.json")
  if (config == "") fail("there is no " bundle "/config.json")
  labels = labels_file()
  # Nearly all containers end here. A letter in JSON is itself or \u00XX, so this overlooks nothing.
  if (!(config ~ /EGRESSTRATOR_ENABLE|\\u00[45]/) && !(labels ~ /egresstrator\.enable|\\u002[eE]|\\u00[67]/)) finish("pass")
  if (!scanned) scan(config, "bundle")
  if (labels != "") scan(labels, "labels")
  read_image()
  if (!is_enabled()) finish("pass")
  read_host_config()
  print "workload"
  print (own_network ? "own" : "shared")
  print raw_sockets()
  print one_line(source[resolver_mount])
  print one_line(name_servers)
  print canonical()
  # Here, as what is enough for a verdict was said.
  if (without != "" && raw_sockets() == "given") scan(config, "without")
}

# --- what is where -----------------------------------------------------------------------------------

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
  if (text == "") fail("its labels are in no config.v2.json; after moving Docker's data, run: egresstrator gate install")
  return text
}

# What the image says by itself; Docker has mixed it into what the container says. An Engine that keeps
# images in containerd's store tells nothing here, and an image can be removed while its containers stay:
# then everything may be its word. So it may be where the file is larger than those of honest images.
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
    # Anybody's strings can be long; only those are put together that may be ours.
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
    # Who may change the rules needs no way round them.
    if (part[first] == "CAP_NET_ADMIN") asks_for_raw = 1
  }
}

function label_value(where, name, part, first, last) {
  if (where == LABELS) keep_label(decode(name), part, first, last)
  else if (where == TOP && name == "Image") image = join(part, first, last)
  else if (where == TOP && name == "Driver") driver = join(part, first, last)
}

# The file is the image's author's, written as they like: Go, in which Docker is written, takes keys in any
# case and with escapes in them, and of two the last. So whatever stands anywhere in there counts as said.
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

# A label without a value, as null, is left over in `unvalued`: it may be any.
function keep_image_label(name, text) {
  if (name !~ /^egresstrator\.[a-z]+$/) return
  name = toupper(substr(name, 14))
  unvalued[name]--
  image_label[name, coarse(text)]
}

# Docker replaces what is no UTF-8; so of characters beyond ASCII only their place counts here.
function coarse(text) {
  gsub(/[\200-\377]+/, "\377", text)
  return text
}

# In the order of the lines.
function keep_variable(text,   at, name) {
  at = index(text, "=")
  if (at <= 1 || substr(text, 1, 13) != "EGRESSTRATOR_") return
  name = substr(text, 14, at - 14)
  variable[name, ++times[name]] = substr(text, at + 1)
}

function keep_label(name, part, first, last) {
  if (name ~ /^egresstrator\.[a-z]+$/) label[toupper(substr(name, 14))] = decode(join(part, first, last))
}

# --- words -----------------------------------------------------------------------------------------

function raw_sockets() {
  return has_raw ? (asks_for_raw ? "asked" : "given") : "none"
}

# Sets `candidate` and `candidates` to what may be meant, and `is_runners` if one of them is certainly of
# who runs the container: src/inventory/container-settings.ts says why.
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

# Audit opens, so it takes the word of who runs the container.
function mode(   absent, i) {
  absent = one_of(slurp(run_dir "/prepared/mode"), "enforce|audit", "enforce", "enforce")
  read_setting("MODE")
  if (!candidates) return absent
  for (i = 1; i <= candidates; i++) if (one_of(candidate[i], "enforce|audit", absent, "enforce") == "enforce") return "enforce"
  return is_runners ? "audit" : absent
}

function dns(   i) {
  read_setting("DNS")
  for (i = 1; i <= candidates; i++) if (one_of(candidate[i], "resolvers|none", "resolvers", "none") == "none") return "none"
  return "resolvers"
}

# Sets `keys` and `sorted` to those that all candidates name.
function find_keys(   i, j, text, named) {
  read_setting("ACL")
  for (i = 1; i <= candidates; i++) read_keys(candidate[i], i, named)
  for (text in named) {
    if (named[text] != candidates) continue
    for (j = keys++; j > 0 && (sorted[j] "") > (text ""); j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = text
  }
}

# Counts in `named` which keys the candidates before `index_` and this one name; a list that is too long
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

# The same for the same rules, however they are asked for. Keys have their length in bytes in front.
function canonical(   i, text) {
  find_keys()
  text = "egresstrator 1 " mode() " " dns()
  for (i = 1; i <= keys; i++) text = text "\n" length(sorted[i]) ":" sorted[i]
  return text "\nend"
}

# A path or a word with a line break in it is none of Docker's making.
function one_line(text) {
  return text ~ /\n/ ? "" : text
}

# --- tables ----------------------------------------------------------------------------------------

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
