/* SPDX-License-Identifier: Apache-2.0 */
#include "io/program.h"

#include "base/auto.h"
#include "base/loaded.h"
#include "io/file.h"

#include <fcntl.h>

static bool digest_of_file(struct hashed *hashed, struct digest *ret_digest)
{
    AUTO(auto_close_fd) int fd = open(PROGRAM_FILE, O_RDONLY | O_CLOEXEC);
    AUTO(view_done) struct view view = {0};
    struct stat status;
    struct err ignored = {0};
    if (fd < 0 || fstat(fd, &status) != 0)
        return false;
    if (hashed_find(hashed, &status, (uint64_t)status.st_size, ret_digest))
        return true;
    if (!file_map_fd(fd, PROGRAM_FILE, &view, &ignored))
        return false;
    *ret_digest = digest_of(view.ptr, view.len);
    hashed_note(hashed, &status, view.len, ret_digest);
    return true;
}

struct digest program_digest(struct hashed *hashed)
{
    struct digest_stream stream;
    struct digest file;
    digest_begin(&stream);
    if (digest_of_file(hashed, &file))
        digest_feed(&stream, file.bytes, sizeof file.bytes);
    else
        digest_feed(&stream, IMGFACTORY_VERSION, sizeof IMGFACTORY_VERSION);
    loaded_feed_libraries("libimgfactory-", &stream);
    loaded_feed_libraries("libsolv", &stream);
    return digest_end(&stream);
}
