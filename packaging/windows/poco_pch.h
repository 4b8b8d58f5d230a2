// Compiled once for all of Poco: on this system its first header is a hundred thousand lines (windows.h).
#include "Poco/Foundation.h"
#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>
