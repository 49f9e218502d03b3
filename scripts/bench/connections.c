/*
 * Opens TCP connections or sends datagrams as fast as the kernel can: a client in Node.js takes longer than the rules do.
 *
 *   connections serve <port>                          accepts and closes, until it is ended
 *   connections count <address> <port> <seconds>      connects and resets for so long, and prints how often in a
 *                                                     second of its processor time
 *   connections send <address> <port> <seconds>       sends datagrams of one flow for so long, and prints how many in a
 *                                                     second of its processor time
 *
 * Over a veth the kernel does the work of both ends, rules included, within the client's system calls. So its processor
 * time is the whole cost of a connection or a packet, without that of other programs on the machine.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static int fail(const char *what) {
  perror(what);
  return 1;
}

static int serve(struct sockaddr_in address) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) return fail("bind");
  if (listen(listener, 4096) < 0) return fail("listen");
  for (;;) {
    int connection = accept(listener, NULL, NULL);
    if (connection >= 0) close(connection);
  }
}

/* With no time to linger, close resets the connection: neither end keeps its port. */
static int count(struct sockaddr_in address, double seconds) {
  struct linger none = {1, 0};
  double end = seconds_of(CLOCK_MONOTONIC) + seconds, spent = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  long connections = 0;
  for (; seconds_of(CLOCK_MONOTONIC) < end; connections++) {
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) return fail("connect");
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(connection);
  }
  printf("%.0f\n", connections / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - spent));
  return 0;
}

static int send_all(struct sockaddr_in address, double seconds) {
  char text[64] = "";
  int flow = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(flow, (struct sockaddr *)&address, sizeof address) < 0) return fail("connect");
  double end = seconds_of(CLOCK_MONOTONIC) + seconds, spent = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  long packets = 0;
  for (; packets % 64 || seconds_of(CLOCK_MONOTONIC) < end; packets++) send(flow, text, sizeof text, 0);
  printf("%.0f\n", packets / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - spent));
  return 0;
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {AF_INET};
  if (argc == 3 && strcmp(argv[1], "serve") == 0) {
    address.sin_port = htons(atoi(argv[2]));
    return serve(address);
  }
  if (argc == 5 && strcmp(argv[1], "count") == 0 && inet_pton(AF_INET, argv[2], &address.sin_addr) == 1) {
    address.sin_port = htons(atoi(argv[3]));
    return count(address, atof(argv[4]));
  }
  if (argc == 5 && strcmp(argv[1], "send") == 0 && inet_pton(AF_INET, argv[2], &address.sin_addr) == 1) {
    address.sin_port = htons(atoi(argv[3]));
    return send_all(address, atof(argv[4]));
  }
  fprintf(stderr, "usage: connections serve <port> | count | send <address> <port> <seconds>\n");
  return 2;
}
