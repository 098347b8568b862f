/* Unit tests have three levels of page tables, and so addresses that are
 * constants, but where one says otherwise. */
#undef PT_LEVELS
#ifdef TEST_PT_LEVELS
#define PT_LEVELS TEST_PT_LEVELS
#else
#define PT_LEVELS 3
#endif
