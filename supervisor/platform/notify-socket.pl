#!/usr/bin/perl
# Connects to systemd's notification socket, which Node.js cannot do, and replaces itself by the given command.
# The command keeps the process id (NotifyAccess=main holds) and finds the socket's number in RUSHLIGHT_NOTIFY_FD:
# every message is then one write, without a fork.
# Without a command it stays, and sends each line of its input, in which a tab stands for a line end.
use strict;
use warnings;
use Fcntl;
use Socket;

my $address = $ENV{NOTIFY_SOCKET} // '';
if ($address eq '') {
    exec { $ARGV[0] } @ARGV or die "cannot run $ARGV[0]: $!\n" if @ARGV;
    die "NOTIFY_SOCKET is not set\n";
}
$address =~ s/^@/\0/;
$^F = 255;    # the socket survives exec
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
connect($socket, pack_sockaddr_un($address)) or die "connect: $!\n";
if (@ARGV) {
    # A message is lost if the socket is full; the supervisor must not hang on it.
    fcntl($socket, F_SETFL, O_NONBLOCK) or die "fcntl: $!\n";
    $ENV{RUSHLIGHT_NOTIFY_FD} = fileno($socket);
    exec { $ARGV[0] } @ARGV or die "cannot run $ARGV[0]: $!\n";
}
while (my $line = <STDIN>) {
    chomp $line;
    $line =~ tr/\t/\n/;
    send($socket, $line, 0);
}
