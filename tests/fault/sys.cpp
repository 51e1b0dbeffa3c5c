// pm::sys again, with every call open to faults.
#include "fault.h"
#define PM_FAULTS
#include "../../src/libpm/base/sys.cpp"
