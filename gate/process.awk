# Removes CAP_NET_RAW from a process that Docker is about to execute in a container; part of the gate (see
# `runtime`).
#
#   LC_ALL=C awk -f files.awk -f json.awk -f process.awk <process.json> <without>
#
# If the process has the capability, this writes the file <without>: process.json without it. It prints nothing,
# or the reason why it failed. A process that may change the rules (`docker exec --privileged`) keeps the
# capability, because it can remove the rules anyway.

BEGIN {
  CAPABILITIES = "^\001\001capabilities\001[a-z]+$"
  process = slurp(ARGV[1])
  if (process !~ /CAP_NET_RAW/) exit 0
  scan(process, "process")
}

function opened(where) {}

function keyed(part, first, last) {}

function closed(where) {}

function value(where, name, part, first, last) {
  if (where !~ CAPABILITIES) return
  if (part[first] == "CAP_NET_RAW") { is_raw[first]; raw = 1 }
  if (part[first] == "CAP_NET_ADMIN") can_change_rules = 1
}

function ended(part, n) {
  if (raw && !can_change_rules) write_without(part, n, is_raw, ARGV[2])
}
