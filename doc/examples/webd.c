/*
 * A web server whose port the kernel chooses. Its clients find it by the name "www".
 *
 *     cc webd.c $(pkg-config --cflags --libs libpm) -o webd
 *     ./webd & ./webget
 */
#include <arpa/inet.h>
#include <pm.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  static char const page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello\n";
  struct sockaddr_in name = {0};
  struct pm_service service = {"www", NULL, 0};
  pm_registry *registry;
  char address[16], request[4096];
  int const listening = socket(AF_INET, SOCK_STREAM, 0);

  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listening, (struct sockaddr *)&name, sizeof name) < 0 || listen(listening, 16) < 0) {
    perror("webd: unable to listen");
    return 111;
  }
  /* Register the address that the kernel gave the socket. The registration ends with the process. */
  snprintf(address, sizeof address, "fd:%d", listening);
  service.address = address;
  if (pm_open(&registry, NULL, 0) < 0 || pm_register(registry, &service, 1, PM_EXCLUSIVE, 10000, -1) < 0) {
    fprintf(stderr, "webd: %s\n", pm_last_error()->message);
    return 111;
  }
  for (;;) {
    int const client = accept(listening, NULL, NULL);
    if (client < 0) {
      perror("webd: unable to accept a connection");
      return 111;
    }
    if (read(client, request, sizeof request) > 0) (void)!write(client, page, strlen(page));
    close(client);
  }
}
