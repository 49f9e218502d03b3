/*
 * Asks names over UDP, or answers them, faster than what is measured.
 *
 *   names serve <port>                                    answers each question on loopback with an address of its own
 *   names ask <address> <port> <count> <open> <label>     asks for <label>.x.test so often, so many at once; with
 *                                                         "fresh" after it, each name is another one. Prints the
 *                                                         microseconds of each question, and how many had no address
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, ANSWER = 16, LARGEST = 4096 };

static int fail(const char *what) {
  perror(what);
  return 1;
}

static double microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* The end of the question of a message. */
static int end_of(const unsigned char *message) {
  int at = HEADER;
  while (message[at]) at += message[at] + 1;
  return at + 5;
}

static int serve(struct sockaddr_in address) {
  unsigned char message[LARGEST];
  unsigned number = 0;
  int server = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0) return fail("bind");
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (recvfrom(server, message, LARGEST, 0, (struct sockaddr *)&from, &size) < HEADER) continue;
    int end = end_of(message);
    /* An answer, one record, no additional ones: name by pointer, A, IN, 60 seconds, 4 bytes. */
    const unsigned char flags[10] = {0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
    const unsigned char record[12] = {0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
    memcpy(message + 2, flags, sizeof flags);
    memcpy(message + end, record, sizeof record);
    number++;
    const unsigned char to[4] = {23, number >> 16, number >> 8, number};
    memcpy(message + end + sizeof record, to, sizeof to);
    sendto(server, message, end + ANSWER, 0, (struct sockaddr *)&from, size);
  }
}

/* Writes a question, and returns its length. */
static int question(unsigned char *message, unsigned id, const char *label) {
  const unsigned char rest[] = {1, 'x', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
  int length = strlen(label);
  memset(message, 0, HEADER);
  message[0] = id >> 8, message[1] = id, message[2] = 1, message[5] = 1, message[HEADER] = length;
  memcpy(message + HEADER + 1, label, length);
  memcpy(message + HEADER + 1 + length, rest, sizeof rest);
  return HEADER + 1 + length + sizeof rest;
}

static int ask(struct sockaddr_in address, int count, int open, const char *label, int is_fresh) {
  unsigned char message[LARGEST];
  char text[64];
  int sent = 0, answered = 0, lost = 0, failed = 0, client = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(client, (struct sockaddr *)&address, sizeof address) < 0) return fail("connect");
  double begun = microseconds();
  while (answered + lost < count) {
    for (; sent < count && sent - answered - lost < open; sent++) {
      snprintf(text, sizeof text, is_fresh ? "%s%d" : "%s", label, sent);
      send(client, message, question(message, sent, text), 0);
    }
    struct pollfd waiting = {client, POLLIN, 0};
    if (poll(&waiting, 1, 5000) <= 0) {
      lost += sent - answered - lost;
      continue;
    }
    if (recv(client, message, LARGEST, 0) < HEADER) continue;
    answered++;
    if ((message[3] & 15) != 0 || message[7] == 0) failed++;
  }
  printf("%.1f %d\n", (microseconds() - begun) / count, failed + lost);
  return 0;
}

int main(int count, char **words) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (count == 3 && strcmp(words[1], "serve") == 0) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(atoi(words[2]));
    return serve(address);
  }
  if (count < 7 || strcmp(words[1], "ask") != 0) return 2;
  inet_aton(words[2], &address.sin_addr);
  address.sin_port = htons(atoi(words[3]));
  return ask(address, atoi(words[4]), atoi(words[5]), words[6], count == 8);
}
