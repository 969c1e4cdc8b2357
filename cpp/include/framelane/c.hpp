/// Private: the structs of the C API that the classes hand on.
#pragma once

#include <framelane.h>

namespace framelane::bridge::c {

using Layout = ::framelane_layout;
using ProducerOptions = ::framelane_producer_options;
using ConsumerOptions = ::framelane_consumer_options;
using StreamWriterOptions = ::framelane_stream_writer_options;
using StreamReaderOptions = ::framelane_stream_reader_options;
using SwitchControllerOptions = ::framelane_switch_controller_options;
using ShmbufSenderOptions = ::framelane_shmbuf_sender_options;
using ShmbufReceiverOptions = ::framelane_shmbuf_receiver_options;

}  // namespace framelane::bridge::c
