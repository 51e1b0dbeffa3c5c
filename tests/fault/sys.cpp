// pm::sys again, with every call open to faults.
#include "fault.h"
#define PM_FAULTS
#include "libpm/os/sys.cpp"
