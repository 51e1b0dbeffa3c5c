// pm::sys again, with every call open to faults.
#include "fault.h"
#define PM_FAULTS
#include "libpm/os/file_identity.cpp"
#include "libpm/os/sys.cpp"
#include "libpm/os/sys_sockets.cpp"
