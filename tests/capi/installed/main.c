/* Asks the installed library for its version, and for an error. */
#include <stdio.h>
#include <stemzoo.h>
#include <string.h>

int main(void) {
    printf("stemzoo %s\n", stemzoo_version());
    if (stemzoo_ncc_run(NULL, NULL, NULL) != STEMZOO_BAD_ARGUMENT) return 1;
    return strcmp(stemzoo_last_error(), "ncc is NULL; expected a pointer") != 0;
}
