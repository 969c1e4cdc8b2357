/** The names of the schema that go through the API, where the rest of it is. */
package framelane

typealias Codec = framelane.layout.Codec
typealias ErrorKind = framelane.layout.ErrorKind
typealias FrameDescriptor = framelane.layout.FrameDescriptor
typealias HugePages = framelane.uniffi.HugePages
typealias MemoryKind = framelane.layout.MemoryKind
typealias Mode = framelane.layout.Mode
typealias PixelFormat = framelane.layout.PixelFormat
typealias Reclaim = framelane.uniffi.Reclaim
typealias RecordInfo = framelane.layout.RecordInfo
typealias Report = framelane.layout.Report
typealias StreamConfig = framelane.layout.StreamConfig
typealias StreamStart = framelane.layout.StreamStart
typealias Trust = framelane.uniffi.Trust
typealias LaneEntry = framelane.uniffi.LaneEntry
typealias LaneInfo = framelane.uniffi.LaneInfo
typealias StreamInfo = framelane.uniffi.StreamInfo
typealias SwitchLane = framelane.uniffi.SwitchLane
typealias SwitchStatus = framelane.uniffi.SwitchStatus
typealias Selected = framelane.uniffi.Selected
