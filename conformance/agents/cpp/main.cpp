// The C++ agent of the conformance runs: does line by line what conformance/README.md says.
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "consuming.hpp"
#include "messages.hpp"
#include "producing.hpp"
#include "reading.hpp"
#include "switching.hpp"
#include "writing.hpp"

namespace {

struct Agent {
  // In this order: what is held goes, last first, before what it is held from.
  Producing producing;
  Consuming consuming;
  Writing writing;
  Reading reading;
  Messages messages;
  Switching switching;
};

void decode(const Line& line, std::ostream& out) {
  std::ifstream file{std::string(line.need_text("file")), std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  framelane::FrameInfo info{};
  if (bytes.size() != sizeof info) throw misunderstood("these bytes are no descriptor");
  bytes.copy(reinterpret_cast<char*>(&info), sizeof info);
  tell(out, info);
}

using Command = void (*)(Agent&, const Line&, std::ostream&);

template <auto handle>
constexpr Command producing = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.producing.*handle)(line, out);
};
template <auto handle>
constexpr Command consuming = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.consuming.*handle)(line, out);
};
template <auto handle>
constexpr Command writing = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.writing.*handle)(line, out);
};
template <auto handle>
constexpr Command reading = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.reading.*handle)(line, out);
};
template <auto handle>
constexpr Command messages = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.messages.*handle)(line, out);
};
template <auto handle>
constexpr Command switching = [](Agent& agent, const Line& line, std::ostream& out) {
  (agent.switching.*handle)(line, out);
};

const std::map<std::string_view, Command> commands{
    {"create", producing<&Producing::create>},
    {"publish", producing<&Producing::publish>},
    {"claim", producing<&Producing::claim>},
    {"fill", producing<&Producing::fill>},
    {"commit", producing<&Producing::commit>},
    {"abandon", producing<&Producing::abandon>},
    {"publish_external", producing<&Producing::publish_external>},
    {"returned", producing<&Producing::returned>},
    {"recall", producing<&Producing::recall>},
    {"report", producing<&Producing::report>},
    {"close_producer", producing<&Producing::close>},
    {"open", consuming<&Consuming::open>},
    {"next", consuming<&Consuming::next>},
    {"try", consuming<&Consuming::next_now>},
    {"latest", consuming<&Consuming::latest>},
    {"wait", consuming<&Consuming::wait>},
    {"poll", consuming<&Consuming::poll>},
    {"read", consuming<&Consuming::read>},
    {"in_place", consuming<&Consuming::in_place>},
    {"describe", consuming<&Consuming::describe>},
    {"check", consuming<&Consuming::check>},
    {"release", consuming<&Consuming::release>},
    {"count", consuming<&Consuming::count>},
    {"close", consuming<&Consuming::close>},
    {"close_later", consuming<&Consuming::close_later>},
    {"create_stream", writing<&Writing::create>},
    {"write", writing<&Writing::write>},
    {"begin_record", writing<&Writing::begin>},
    {"append", writing<&Writing::append>},
    {"commit_record", writing<&Writing::commit>},
    {"abandon_record", writing<&Writing::abandon>},
    {"set_config", writing<&Writing::set_config>},
    {"key_wanted", writing<&Writing::key_wanted>},
    {"stream_report", writing<&Writing::report>},
    {"close_writer", writing<&Writing::close>},
    {"open_stream", reading<&Reading::open>},
    {"next_record", reading<&Reading::next>},
    {"read_record", reading<&Reading::read>},
    {"release_record", reading<&Reading::release>},
    {"seek", reading<&Reading::seek>},
    {"request_key", reading<&Reading::request_key>},
    {"wait_stream", reading<&Reading::wait>},
    {"poll_stream", reading<&Reading::poll>},
    {"count_stream", reading<&Reading::count>},
    {"close_stream", reading<&Reading::close>},
    {"create_ring", messages<&Messages::create>},
    {"send", messages<&Messages::send>},
    {"drain", messages<&Messages::drain>},
    {"count_ring", messages<&Messages::count_sent>},
    {"close_ring", messages<&Messages::close_sender>},
    {"open_ring", messages<&Messages::open>},
    {"receive", messages<&Messages::receive>},
    {"skip", messages<&Messages::skip>},
    {"count_received", messages<&Messages::count_received>},
    {"close_receiver", messages<&Messages::close_receiver>},
    {"create_switch", switching<&Switching::create>},
    {"select_lane", switching<&Switching::select>},
    {"propose", switching<&Switching::propose>},
    {"set_automatic", switching<&Switching::set_automatic>},
    {"switch_report", switching<&Switching::report>},
    {"close_switch", switching<&Switching::close>},
    {"open_switch", switching<&Switching::open>},
    {"next_of_switch", switching<&Switching::next>},
    {"switch_status", switching<&Switching::status>},
    {"leave_switch", switching<&Switching::leave>},
    {"ask_switch", switching<&Switching::ask>},
    {"decode", [](Agent&, const Line& line, std::ostream& out) { decode(line, out); }},
    {"reset", [](Agent& agent, const Line&, std::ostream&) { agent = Agent(); }},
};

std::string answer(Agent& agent, const std::string& text) {
  std::ostringstream out;
  try {
    const Line line(text);
    const auto command = commands.find(line.word);
    if (command == commands.end()) {
      throw misunderstood("there is no command " + std::string(line.word));
    }
    out << "ok";
    command->second(agent, line, out);
    return out.str();
  } catch (const Nothing&) {
    return "none";
  } catch (const framelane::Error& error) {
    out.str("");
    out << "error kind=" << error.kind() << " text=" << error.what();
    return out.str();
  }
}

}  // namespace

int main() {
  Agent agent;
  std::cout << "ready language=cpp" << std::endl;
  for (std::string text; std::getline(std::cin, text) && text != "quit";) {
    std::cout << answer(agent, text) << std::endl;
  }
  return 0;
}
