#!/usr/bin/perl
# Sends one frame by a kind of socket that Python does not support. It is in Perl because Perl can map memory.
#
#   sockets.pl xdp <device> <frame>       AF_XDP in copy mode: bypasses the IP stack, the queues and every hook
#   sockets.pl ring <device> <frame>      AF_PACKET through a ring that is shared with the kernel
#   sockets.pl ancient <device> <frame>   SOCK_PACKET of Linux 2.0
#   sockets.pl opens <family>             sends nothing: tells whether such a socket can be opened
#
# The frame is in hex digits. Prints "sent", or the step that failed and the system's reason.
use strict;
use warnings;
use POSIX qw(uname);
use Socket qw(SOCK_RAW SOCK_STREAM AF_INET);

# read, mmap
my ($READ, $MMAP) = (uname)[4] eq 'aarch64' ? (63, 222) : (0, 9);
my ($SHARED, $PRIVATE, $FIXED, $ANONYMOUS, $POPULATE) = (1, 2, 16, 32, 32768);
# Unused addresses, because `syscall` may not return a complete one.
my ($HERE, $THERE) = (0x60 << 40, 0x61 << 40);

my ($verb, $device, $digits) = @ARGV;
my %verbs = (xdp => \&xdp, ring => \&ring, ancient => \&ancient, opens => \&opens);
my $done = eval { $verbs{$verb}->($device, pack 'H*', $digits // ''); 1 };
print $done ? "sent\n" : $@;

sub must { my ($step, $result) = @_; defined $result && $result ne '-1' or die "$step: $!\n"; return $result }

sub index_of {
  my ($name) = @_;
  open my $file, '<', "/sys/class/net/$name/ifindex" or die "no device $name\n";
  return int <$file>;
}

sub map_memory {
  my ($address, $size, $flags, $fd, $offset) = @_;
  must('mmap', syscall $MMAP, $address, $size, 3, $flags | $FIXED, $fd, $offset);
}

sub poke {
  my ($address, $bytes) = @_;
  pipe my $out, my $in or die "pipe: $!\n";
  syswrite $in, $bytes;
  must('poke', syscall $READ, fileno $out, $address, length $bytes);
}

sub xdp {
  my ($name, $frame) = @_;
  my $size = 16 * 4096;
  must('socket', socket my $socket, 44, SOCK_RAW, 0);
  map_memory($HERE, $size, $PRIVATE | $ANONYMOUS, -1, 0);
  poke($HERE, $frame);
  # SOL_XDP: UMEM_REG, UMEM_FILL_RING, UMEM_COMPLETION_RING, TX_RING
  must('memory', setsockopt $socket, 283, 4, pack('QQLLLL', $HERE, $size, 4096, 0, 0, 0));
  must('ring', setsockopt $socket, 283, $_, pack('L', 16)) for 5, 6, 3;
  # MMAP_OFFSETS: producer, consumer, descriptors, flags; first of the receiving ring, then of this one.
  my @offsets = unpack 'Q*', must('offsets', getsockopt_of($socket, 283, 1, 128));
  my ($producer, $descriptors) = @offsets[4, 6];
  map_memory($THERE, $descriptors + 16 * 16, $SHARED | $POPULATE, fileno $socket, 0x80000000);
  # struct sockaddr_xdp: family, flags (copy), interface, queue, shared with
  must('bind', bind $socket, pack('SSLLL', 44, 2, index_of($name), 0, 0));
  poke($THERE + $descriptors, pack 'QLL', 0, length $frame, 0);
  poke($THERE + $producer, pack 'L', 1);
  must('send', send $socket, '', 0x40);
  select undef, undef, undef, 0.05;
}

# Perl's getsockopt requests 256 bytes, and the kernel's answer depends on the requested size.
sub getsockopt_of {
  my ($socket, $level, $name, $size) = @_;
  my ($bytes, $length) = ("\0" x $size, pack 'L', $size);
  my $number = (uname)[4] eq 'aarch64' ? 209 : 55;
  return syscall($number, fileno $socket, $level, $name, $bytes, $length) == -1 ? undef : $bytes;
}

sub ring {
  my ($name, $frame) = @_;
  must('socket', socket my $socket, 17, SOCK_RAW, 0);
  # PACKET_TX_RING: one block of two frames
  must('ring', setsockopt $socket, 263, 13, pack('IIII', 4096, 1, 2048, 2));
  map_memory($HERE, 4096, $SHARED, fileno $socket, 0);
  # struct tpacket_hdr: status, length, …; the frame begins after it.
  poke($HERE + 32, $frame);
  poke($HERE, pack 'QI', 1, length $frame);
  my $to = pack 'SniSCCa8', 17, unpack('n', substr $frame, 12, 2), index_of($name), 0, 0, 6, substr $frame, 0, 6;
  must('send', send $socket, '', 0, $to);
}

sub ancient {
  my ($name, $frame) = @_;
  my $type = substr $frame, 12, 2;
  must('socket', socket my $socket, AF_INET, 10, unpack 'S', $type);
  must('send', send $socket, $frame, 0, pack('Sa14a2', AF_INET, $name, $type));
}

sub opens {
  my ($family) = @_;
  must('socket', socket my $socket, $family, SOCK_STREAM, 0);
}
