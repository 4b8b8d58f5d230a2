// A shared library that is something else.
extern "C" int answer() {
    return 42;
}
