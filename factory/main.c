/* main.c - argv in, exit status out */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return command_run(argc, argv);
}
