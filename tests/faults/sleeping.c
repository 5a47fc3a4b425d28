/* Before libfaketime: a sleep lasts as long as it was asked for, whatever the clock says.

   That is what a machine does whose clock is turned, for Python sleeps by the monotonic one.
   libfaketime turns the deadlines of sleeps as well, and at times makes an impossible one (EINVAL).
*/
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    return syscall(SYS_clock_nanosleep, clock, flags, until, left) ? errno : 0;
}
