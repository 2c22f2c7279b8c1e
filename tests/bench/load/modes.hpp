// The modes of rtmp_load; `argv` begins behind the mode's name.
#pragma once

namespace simulcast::load {

int publish(int argc, char** argv);
int sink(int argc, char** argv);
int churn(int argc, char** argv);
int floor(int argc, char** argv);

}  // namespace simulcast::load
