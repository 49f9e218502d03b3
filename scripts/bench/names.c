/*
 * Asks names over UDP, or answers them, faster than what is measured.
 *
 *   names serve <address> <port>                          answers each question with an address of its own in 10.83.0.0/16
 *   names echo <address> <port>                           sends each datagram back as an answer with an address
 *   names ask <address> <port> <count> <open> <label>     asks for <label>.x.test so often, so many at once; with
 *                                                         "fresh" after it, each name is another one
 *   names race <address> <port> <count> <open> <label>    the same with fresh names, and sends to each address at once
 *   names load <address> <port> <rate> <seconds> <label>  asks for fresh names, so many a second
 *
 * The last three print the microseconds of a question (median, 99th percentile; from its sending to its answer), the
 * questions a second, how many had no address, and how many addresses could not be reached.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, ANSWER = 16, LARGEST = 4096, IDS = 65536, PORT = 443 };

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

/* Makes an answer of a question: one record, no additional ones. Returns its length. */
static int answer(unsigned char *message, unsigned number) {
  int end = end_of(message);
  /* Name by pointer, A, IN, 60 seconds, 4 bytes. */
  const unsigned char flags[10] = {0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
  const unsigned char record[12] = {0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
  const unsigned char to[4] = {10, 83, number >> 8, number};
  memcpy(message + 2, flags, sizeof flags);
  memcpy(message + end, record, sizeof record);
  memcpy(message + end + sizeof record, to, sizeof to);
  return end + ANSWER;
}

static int serve(struct sockaddr_in address, int is_echo) {
  unsigned char message[LARGEST];
  unsigned number = 0;
  int server = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(server, (struct sockaddr *)&address, sizeof address) < 0) return fail("bind");
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (recvfrom(server, message, LARGEST, 0, (struct sockaddr *)&from, &size) < HEADER) continue;
    int length = answer(message, is_echo ? 1 : ++number);
    sendto(server, message, length, 0, (struct sockaddr *)&from, size);
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

static int by_size(const void *one, const void *other) {
  float a = *(const float *)one, b = *(const float *)other;
  return (a > b) - (a < b);
}

struct plan {
  int count, open, is_fresh, is_race;
  /* Microseconds between two questions; 0: as soon as fewer than `open` wait. */
  double gap;
  const char *label;
};

static int ask(struct sockaddr_in address, struct plan plan) {
  static double sent_at[IDS];
  static char has_waited[IDS];
  unsigned char message[LARGEST];
  char text[64];
  float *times = calloc(plan.count, sizeof *times);
  int sent = 0, answered = 0, lost = 0, failed = 0, refused = 0, size = 4 << 20;
  int client = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (connect(client, (struct sockaddr *)&address, sizeof address) < 0) return fail("connect");
  double begun = microseconds(), last = begun;
  while (answered + lost < plan.count) {
    double now = microseconds();
    while (sent < plan.count && (plan.gap > 0 ? begun + sent * plan.gap <= now : sent - answered - lost < plan.open)) {
      snprintf(text, sizeof text, plan.is_fresh ? "%s%d" : "%s", plan.label, sent);
      sent_at[sent % IDS] = microseconds();
      has_waited[sent % IDS] = 1;
      send(client, message, question(message, sent, text), 0);
      sent++;
    }
    struct pollfd waiting = {client, POLLIN, 0};
    int is_all_sent = sent == plan.count;
    if (poll(&waiting, 1, plan.gap > 0 && !is_all_sent ? 1 : 2000) <= 0) {
      if (plan.gap == 0 || is_all_sent) lost += sent - answered - lost;
      continue;
    }
    int length;
    while ((length = recv(client, message, LARGEST, MSG_DONTWAIT)) >= HEADER) {
      int id = message[0] << 8 | message[1];
      if (!has_waited[id]) continue;
      has_waited[id] = 0;
      last = microseconds();
      times[answered++] = last - sent_at[id];
      if ((message[3] & 15) != 0 || message[7] == 0) {
        failed++;
        continue;
      }
      if (!plan.is_race) continue;
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
      memcpy(&to.sin_addr, message + length - 4, 4);
      if (sendto(out, "x", 1, 0, (struct sockaddr *)&to, sizeof to) < 0 && errno == EPERM) refused++;
    }
  }
  qsort(times, answered, sizeof *times, by_size);
  printf("%.1f %.1f %.0f %d %d\n", times[answered / 2], times[answered * 99 / 100], answered / (last - begun) * 1e6,
         failed + lost, refused);
  return 0;
}

int main(int count, char **words) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (count < 4) return 2;
  inet_aton(words[2], &address.sin_addr);
  address.sin_port = htons(atoi(words[3]));
  if (strcmp(words[1], "serve") == 0) return serve(address, 0);
  if (strcmp(words[1], "echo") == 0) return serve(address, 1);
  if (count < 7) return 2;
  int first = atoi(words[4]), second = atoi(words[5]);
  struct plan plan = {.count = first, .open = second, .is_fresh = count == 8, .label = words[6]};
  if (strcmp(words[1], "race") == 0) plan.is_fresh = plan.is_race = 1;
  if (strcmp(words[1], "load") == 0) plan.is_fresh = 1, plan.count = first * second, plan.gap = 1e6 / first;
  return ask(address, plan);
}
