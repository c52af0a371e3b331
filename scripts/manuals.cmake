# SPDX-License-Identifier: Apache-2.0
# Writes the manual pages, which the program prints: cmake -DPROGRAM=... -DDIR=... -P scripts/manuals.cmake. Called by the build.
# The program's own page names all others.
function(write_page file)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 ${PROGRAM} manual ${ARGN}
                    OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${DIR})
file(MAKE_DIRECTORY ${DIR}/man1 ${DIR}/man5)
write_page(${DIR}/man1/imgfactory.1)
file(STRINGS ${DIR}/man1/imgfactory.1 lines REGEX "^[.]BR imgfactory")
foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[.]BR imgfactory[^a-z]*([^ ]+) .*$" "\\1" command "${line}")
    string(REGEX REPLACE "[^a-z-]" "" command "${command}")
    string(REGEX MATCH "[(]([15])[)]" section "${line}")
    set(section ${CMAKE_MATCH_1})
    write_page(${DIR}/man${section}/imgfactory-${command}.${section} ${command})
endforeach()
