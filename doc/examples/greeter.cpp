// A server that registers itself, and a client that finds it by its name.
//
//     g++ -std=c++20 greeter.cpp $(pkg-config --cflags --libs libpm) -o greeter
//     ./greeter serve & ./greeter

#include <pm/registry.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

/** A socket that listens at a name that the kernel makes up. */
int listen_somewhere() {
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr const nameless = {AF_UNIX, {}};
  if (fd < 0 || ::bind(fd, &nameless, sizeof nameless.sa_family) < 0 || ::listen(fd, 16) < 0)
    throw std::runtime_error("unable to listen");
  return fd;
}

template <class T>
T value_of(pm::Outcome<T> outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().text());
  return std::move(*outcome);
}

void serve(pm::Registry &registry) {
  int const listening = listen_somewhere();
  // Until this is destroyed, or the process ends, however it ends.
  pm::Registration const registered = value_of(registry.reg("greeter", pm::At::descriptor(listening), {.exclusive = true}));
  std::cout << "ready" << std::endl;
  for (;;) {
    int const connection = ::accept(listening, nullptr, nullptr);
    if (connection < 0) continue;
    std::string const text = "hello\n";
    if (::write(connection, text.data(), text.size()) < 0) std::cerr << "a client went away\n";
    ::close(connection);
  }
}

void greet(pm::Registry &registry) {
  pm::ServiceConnection const connection = value_of(registry.connect({.service = "greeter", .trust = pm::Trust::own()}));
  char buffer[64];
  ssize_t const n = ::read(connection.fd(), buffer, sizeof buffer);
  std::cout << connection.registration.pid << " says " << std::string(buffer, n > 0 ? n : 0);
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    pm::Registry registry = value_of(pm::Registry::open());
    if (argc > 1 && std::string(argv[1]) == "serve") serve(registry);
    else greet(registry);
  } catch (std::exception const &error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}
