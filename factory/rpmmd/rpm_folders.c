#include "rpmmd/rpm_folders.h"

#include <solv/dirpool.h>
#include <solv/pool.h>
#include <solv/repo.h>
#include <string.h>

/* Gives the count of a folder that may be new. */
static uint32_t *count_of(struct rpm_folders *folders, Id folder)
{
    size_t index = (size_t)folder;
    if (index >= folders->capacity) {
        size_t capacity = index < 1000 ? 2000 : index * 2;
        uint32_t *counts = arena_new_array(folders->arena, uint32_t, capacity);
        if (folders->capacity)
            memcpy(counts, folders->counts, folders->capacity * sizeof *counts);
        folders->counts = counts;
        folders->capacity = capacity;
    }
    return &folders->counts[index];
}

/* As repodata_str2dir() does it: the first component of an absolute path is empty. */
Id rpm_folders_add(struct rpm_folders *folders, const char *path)
{
    Dirpool *tree = &folders->data->dirpool;
    Id folder = 0;
    if (strspn(path, "/") == strlen(path))
        return repodata_str2dir(folders->data, "/", 1);
    path += strspn(path, "/") - 1;
    for (;;) {
        size_t len = strcspn(path, "/");
        uint32_t *count = count_of(folders, folder);
        folders->steps += *count;
        if (folders->steps > RPM_FOLDERS_MAX_STEPS)
            return 0;
        int before = tree->ndirs;
        folder = dirpool_add_dir(tree, folder, pool_strn2id(folders->data->repo->pool, path, (unsigned)len, 1), 1);
        *count += tree->ndirs > before;
        path += len;
        path += strspn(path, "/");
        if (!*path)
            return folder;
    }
}
