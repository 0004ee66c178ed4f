/* SPDX-License-Identifier: MIT */
/* A fuzz target without libFuzzer: each input of the files named, once. */
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
