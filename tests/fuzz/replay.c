/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target without libFuzzer: once for each input in the given
 * files. */
#include "fuzz.h"
#include "replay.h"

int
main(int argc, char **argv)
{
    CHECK(argc > 1);
    for (int i = 1; i < argc; i++) {
        size_t count = replay(argv[i], LLVMFuzzerTestOneInput);
        CHECK(count > 0);
        printf("%zu inputs\n", count);
    }
    puts("ok");
    return 0;
}
