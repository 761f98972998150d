#include "cli/cli.h"

int main(int argc, char** argv) { return headrace::run_cli(argc, argv); }
