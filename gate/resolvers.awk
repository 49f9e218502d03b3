# Prints the DNS resolvers that receive packets from a container's network namespace; part of the gate (see
# `runtime`).
#
#   LC_ALL=C awk -f files.awk -f resolvers.awk <resolv.conf> <given> <run dir>
#
# <resolv.conf> is the container's file, on the host. <given> are the addresses of its --dns. This prints two
# lines, the IPv4 and the IPv6 addresses, with a comma before each address.
#
# Root in the container may write to the file. So an address in it counts only if the Engine can have put it there:
# it is one of the container's --dns, else of the Engine's own resolvers, which the controller writes to a file, else
# of this host's. The controller finds the same resolvers: both pass test/vectors/resolvers.json.

BEGIN {
  file = ARGV[1]; run_dir = ARGV[3]
  if (file != "") read_resolv_conf(regular(file))
  if (asks_docker || has_any(asked)) find_given(ARGV[2])
  for (i = 1; i <= count; i++) if ((given[i] in asked) || (asks_docker && is_forwarded_to(given[i]))) list(given[i])
  print resolvers4
  print resolvers6
}

# Engines before 26 do not write down where Docker's resolver forwards to: it forwards to all addresses that it was given.
function is_forwarded_to(text) {
  return !has_forwarders || (text in forwarded)
}

# A mounted file may be a device or a pipe that never ends. Root in the container may also hold a lease on it, taken
# before a restart or in another container that shares the file. Then opening it takes 45 s.
function regular(file,   quoted) {
  quoted = file
  gsub(/'/, "'\\''", quoted)
  return slurp_command("test -f '" quoted "' && timeout -k 1 1 head -c 65536 '" quoted "'")
}

# Sets `asked`, `asks_docker`, `forwarded` and `has_forwarders`.
function read_resolv_conf(text,   n, line, i, word) {
  n = split(text, line, "\n")
  for (i = 1; i <= n && i <= 1000; i++) {
    sub(/\r$/, "", line[i])
    if (line[i] ~ /^[ \t]*nameserver[ \t]+[^ \t]/) {
      split(line[i], word, /nameserver[ \t]+/)
      sub(/[ \t].*/, "", word[2])
      if (word[2] == "127.0.0.11") asks_docker = 1
      add_addresses(word[2], asked)
    } else if (line[i] ~ /^[ \t]*[#;][ \t]*ExtServers:/) {
      has_forwarders = 1
      sub(/^[^:]*:/, "", line[i])
      gsub(/host\([^)]*\)/, " ", line[i])
      add_addresses(line[i], forwarded)
    }
  }
}

# Sets `given` and `count`.
function find_given(words) {
  if (words ~ /[^ ]/) add_in_order(words)
  else {
    read_own(run_dir "/prepared/resolvers")
    if (!count) read_own("/etc/resolv.conf")
    if (!count) read_own("/run/systemd/resolve/resolv.conf")
  }
}

function read_own(path,   n, line, i) {
  n = split(slurp(path), line, "\n")
  for (i = 1; i <= n; i++) if (sub(/^[ \t]*nameserver[ \t]+/, "", line[i])) add_in_order(line[i])
}

function add_in_order(words,   n, word, i, text) {
  n = split(words, word, /[ \t]+/)
  for (i = 1; i <= n; i++) if ((text = address(word[i])) != "") given[++count] = text
}

function add_addresses(words, into,   n, word, i, text) {
  n = split(words, word, /[][, \t]+/)
  for (i = 1; i <= n; i++) if ((text = address(word[i])) != "") into[text]
}

function has_any(set,   one) {
  for (one in set) return 1
  return 0
}

function list(text) {
  if (text in listed) return
  listed[text]
  if (is_ipv4(text)) resolvers4 = resolvers4 ", " text
  else resolvers6 = resolvers6 ", " text
}

# An address that leads out of the namespace, else nothing.
function address(text) {
  sub(/%.*/, "", text)
  text = tolower(text)
  if (is_ipv4(text)) return text ~ /^127\./ ? "" : text
  return is_ipv6(text) && text != "::1" && text !~ /^::ffff:127\./ ? text : ""
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
