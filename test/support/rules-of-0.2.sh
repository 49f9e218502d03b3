#!/bin/sh
# A stand-in for what egresstrator 0.2 left in a container's network namespace. It opened everything, and refused
# the destinations of the keys that the container did not hold, one rule for each.
#
#   rules-of-0.2.sh <nft|legacy> <address:port>...    inside the namespace; loads these refusals
#   rules-of-0.2.sh <nft|legacy> clear                what its command `clear` did: empty all chains of the table
set -eu
kind=$1
shift
if [ "$1" = clear ]; then
  "iptables-$kind" -w -F
  exit
fi
{
  echo '*filter'
  echo ':INPUT ACCEPT [0:0]'
  echo ':FORWARD ACCEPT [0:0]'
  echo ':OUTPUT ACCEPT [0:0]'
  echo ':dns-chain - [0:0]'
  for network in 10.0.0.0/8 172.16.0.0/16 192.168.0.0/16; do
    echo "-A dns-chain -d $network -p udp --dport 53 -j RETURN"
  done
  echo '-A dns-chain -p udp --dport 53 -j DROP'
  for place in "$@"; do
    echo "-A OUTPUT -d ${place%:*} -p tcp --dport ${place#*:} -m conntrack --ctstate NEW -j REJECT"
  done
  echo '-A OUTPUT -p udp --dport 53 -j dns-chain'
  echo '-A OUTPUT -p udp --dport 123 -j REJECT'
  echo '-A OUTPUT -p tcp ! --syn -m conntrack --ctstate NEW -j REJECT'
  echo 'COMMIT'
} | "iptables-$kind-restore" -w
