#!/bin/bash
# Linux (seen on 6.18): the end of file of a fifo that has no writer is seen by read(2) and not by
# poll(2), if the reader opened it after the last writer had left. A reader that was there before sees it in both. So two
# descriptors of one fifo, at the same moment, are told different things by poll, and the same by read.
#
# Guess: poll says readable, or hang-up, whenever read would not block. It is level-triggered, and asks about the fifo.
# Cause: Linux reports POLLHUP only to a reader that has seen a writer since it opened the fifo: else a server that opens its
# fifo before the first client comes would never find rest in poll.
# It matters to: a shim or a server on virtual threads that opens fifos with O_NONBLOCK and waits in epoll before it reads. If
# the client wrote nothing and is gone before the open, it waits for ever. One read first, before the poll, does not help
# either: 0 means "gone" or "not yet come", and the two cannot be told apart.
. "$(dirname "$0")/lib.sh"
say "Linux $(uname -r)"
compile end <<'C'
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
static void show(int fd) {
  char byte;
  struct pollfd poll_ = {fd, POLLIN, 0};
  int ready = poll(&poll_, 1, 200);
  printf("%s, read returns %zd\n", !ready ? "nothing" : poll_.revents == POLLHUP ? "POLLHUP" : "else", read(fd, &byte, 1));
}
int main(int argc, char **argv) {
  int before = open(argv[1], O_RDONLY | O_NONBLOCK);
  show(before);
  close(open(argv[1], O_WRONLY));
  int after = open(argv[1], O_RDONLY | O_NONBLOCK);
  show(before);
  show(after);
  return argc != 2;
}
C
mkfifo "$T/fifo"
mapfile -t seen < <("$T/end" "$T/fifo")
expect 'no writer has been there yet: poll says' 'nothing, read returns 0' "${seen[0]-}"
expect 'a writer has come and gone: to the reader from before' 'POLLHUP, read returns 0' "${seen[1]-}"
expect 'and to a reader that opened the fifo afterwards' 'nothing, read returns 0' "${seen[2]-}"
verdict
