# What shows that nothing brings the system down: campaigns that take longer
# than tests should. docs/testing.md says what each proves. The tests run small
# versions of the same.

# --- Fuzzing ----------------------------------------------------------------

# --- Power cuts -------------------------------------------------------------

# --- Proofs -----------------------------------------------------------------

# --- Mutants ----------------------------------------------------------------

# --- Soak -------------------------------------------------------------------
