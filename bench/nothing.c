/* The smallest program: what fork-exec in bench.c runs. */
int main(void) { return 0; }
