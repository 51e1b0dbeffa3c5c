/*
 * A client that waits until the web server is there, and prints its page.
 *
 *     cc webget.c $(pkg-config --cflags --libs libpm) -o webget
 */
#include <pm.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  static char const request[] = "GET / HTTP/1.0\r\n\r\n";
  struct pm_query query;
  pm_registry *registry;
  char text[4096];
  ssize_t n;
  int server = -1;

  memset(&query, 0, sizeof query);
  query.service = "www";
  if (pm_open(&registry, NULL, 0) == 0 && pm_wait(registry, PM_UP, &query, 1, 0, 10000, -1) >= 0)
    server = pm_connect(registry, &query, 10000, -1);
  if (server < 0) {
    fprintf(stderr, "webget: %s\n", pm_last_error()->message);
    return pm_last_error()->result == PM_TIMEOUT ? 99 : 111;
  }
  if (write(server, request, strlen(request)) < 0) return 111;
  while ((n = read(server, text, sizeof text)) > 0) fwrite(text, 1, (size_t)n, stdout);
  pm_close(registry);
  return 0;
}
