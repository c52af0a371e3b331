/* SPDX-License-Identifier: Apache-2.0 */
/* What stands for pthread_create() in the unit tests that are not in the list `threaded` of tests/CMakeLists.txt (the linker's
 * --wrap): the thread sanitizer does not see them, so that they may not have threads. */
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with words, whatever it is given, instead of starting a thread. */
int __wrap_pthread_create(void);

int __wrap_pthread_create(void)
{
    (void)fputs("this test starts a thread: add it to `threaded` in tests/CMakeLists.txt\n", stderr);
    abort();
}
