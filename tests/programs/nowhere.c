/* A library that the guest does not have. */
int nothing;
