#!/usr/bin/perl
# Packets that no ordinary socket makes. Perl, because every Debian has it (perl-base is essential).
#
#   packets.pl frame <ifindex> <mac> <source> <destination> <port> <text> [bypass]
#       an IPv4 datagram through a packet socket, as CAP_NET_RAW allows; "bypass" skips the queue
#   packets.pl datagram <source> <destination> <source port> <port> <text>
#       an IPv4 datagram with any source address, through a raw socket
#   packets.pl neighbour <destination>
#       an IPv6 neighbour solicitation to any address
#   packets.pl ping <destination>
#       an echo request; prints "answered" if the answer comes within half a second
#   packets.pl bound <device> <destination> <port> <text>
#       an ordinary IPv4 datagram of a socket that is bound to a device
#   packets.pl stream <destination> <port> ...
#       IPv4 datagrams to all of these in turn, as fast as they go, until it is told to end, a minute at most; prints how many
#   packets.pl sctp <source port> <destination> <port>
#       the first packet of an SCTP association
#   packets.pl too-big <destination>
#       an ICMPv6 error that belongs to no connection: "packet too big"
#
# Prints what became of it: "sent", or the system's reason.
use strict;
use warnings;
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 AF_INET6 IPPROTO_UDP);

my ($verb, @words) = @ARGV;
my %verbs = (frame => \&frame, datagram => \&datagram, neighbour => \&neighbour, ping => \&ping, bound => \&bound,
  stream => \&stream, sctp => \&sctp, 'too-big' => \&too_big);
print $verbs{$verb}->(@words), "\n";

sub sent { return shift() ? 'sent' : "$!" }

sub udp {
  my ($source, $destination, $from, $to, $text) = @_;
  my $udp = pack('nnnn', $from, $to, 8 + length $text, 0) . $text;
  my $ip = pack('CCnnnCCna4a4', 0x45, 0, 20 + length $udp, 1, 0, 64, 17, 0, inet_aton($source), inet_aton($destination));
  my $sum = 0;
  $sum += $_ for unpack 'n*', $ip;
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  substr($ip, 10, 2) = pack 'n', ~$sum & 0xffff;
  return $ip . $udp;
}

sub frame {
  my ($ifindex, $mac, $source, $destination, $port, $text, $bypass) = @_;
  my $address = pack 'H*', $mac =~ s/://gr;
  socket my $socket, 17, SOCK_RAW, 0 or return "$!";
  # PACKET_QDISC_BYPASS of SOL_PACKET
  setsockopt $socket, 263, 20, pack('i', 1) or return "$!" if $bypass;
  my $frame = $address . "\x02\0\0\0\0\x01" . "\x08\0" . udp($source, $destination, 9, $port, $text);
  return sent(send $socket, $frame, 0, pack('SniSCCa8', 17, 0x0800, $ifindex, 0, 0, 6, $address));
}

sub datagram {
  my ($source, $destination, $from, $to, $text) = @_;
  socket my $socket, AF_INET, SOCK_RAW, 255 or return "$!";
  return sent(send $socket, udp($source, $destination, $from, $to, $text), 0, pack_sockaddr_in(0, inet_aton($destination)));
}

sub neighbour {
  my ($destination) = @_;
  socket my $socket, AF_INET6, SOCK_RAW, 58 or return "$!";
  # IPV6_UNICAST_HOPS: 255, as a true one has
  setsockopt $socket, 41, 16, pack('i', 255) or return "$!";
  my $target = inet_pton(AF_INET6, $destination);
  return sent(send $socket, pack('CCnN', 135, 0, 0, 0) . $target, 0, pack_sockaddr_in6(0, $target));
}

sub ping {
  my ($destination) = @_;
  my $six = $destination =~ /:/;
  my ($family, $protocol, $request) = $six ? (AF_INET6, 58, 128) : (AF_INET, 1, 8);
  my $address = inet_pton($family, $destination);
  socket my $socket, $family, SOCK_RAW, $protocol or return "$!";
  # The kernel fills in the checksum of ICMPv6; this one is right for ICMP.
  my $echo = pack('CCnnn', $request, 0, $six ? 0 : 0xffff - 0x0800 - 9 - 1, 9, 1);
  send $socket, $echo, 0, $six ? pack_sockaddr_in6(0, $address) : pack_sockaddr_in(0, $address) or return "$!";
  my $bits = '';
  vec($bits, fileno($socket), 1) = 1;
  my $until = 0.5;
  while (select(my $ready = $bits, undef, undef, $until)) {
    recv $socket, my $answer, 999, 0;
    my $type = ord substr $answer, $six ? 0 : 20, 1;
    return 'answered' if $type == ($six ? 129 : 0);
  }
  return 'silence';
}

sub bound {
  my ($device, $destination, $port, $text) = @_;
  socket my $socket, AF_INET, SOCK_DGRAM, IPPROTO_UDP or return "$!";
  # SO_BINDTODEVICE
  setsockopt $socket, SOL_SOCKET, 25, "$device\0" or return "$!";
  return sent(send $socket, $text, 0, pack_sockaddr_in($port, inet_aton($destination)));
}

sub stream {
  my @targets;
  while (my ($destination, $port) = splice @_, 0, 2) { push @targets, pack_sockaddr_in($port, inet_aton($destination)) }
  socket my $socket, AF_INET, SOCK_DGRAM, 0 or return "$!";
  my ($sent, $until) = (0, time + 60);
  local $SIG{TERM} = sub { $until = 0 };
  while (time < $until) { $sent += grep { send $socket, 'x', 0, $_ } @targets }
  return $sent;
}

sub sctp {
  my ($from, $destination, $port) = @_;
  my $six = $destination =~ /:/;
  my $family = $six ? AF_INET6 : AF_INET;
  my $address = inet_pton($family, $destination);
  socket my $socket, $family, SOCK_RAW, 132 or return "$!";
  my $init = pack('CCnNNnnN', 1, 0, 20, 7, 65_535, 1, 1, 7);
  my $packet = sub { pack('nnNV', $from, $port, 0, shift) . $init };
  my $whole = $packet->(crc32c($packet->(0)));
  return sent(send $socket, $whole, 0, $six ? pack_sockaddr_in6(0, $address) : pack_sockaddr_in(0, $address));
}

sub crc32c {
  my $sum = 0xffffffff;
  for my $byte (unpack 'C*', shift) {
    $sum ^= $byte;
    $sum = $sum & 1 ? ($sum >> 1) ^ 0x82f63b78 : $sum >> 1 for 1 .. 8;
  }
  return $sum ^ 0xffffffff;
}

sub too_big {
  my ($destination) = @_;
  socket my $socket, AF_INET6, SOCK_RAW, 58 or return "$!";
  my $address = inet_pton(AF_INET6, $destination);
  # The packet that was too big: a header of IPv6 and eight bytes.
  my $cause = pack('NnCCa16a16', 0x60000000, 8, 17, 64, $address, $address) . "\0" x 8;
  return sent(send $socket, pack('CCnN', 2, 0, 0, 1280) . $cause, 0, pack_sockaddr_in6(0, $address));
}
