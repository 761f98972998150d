#include "format/parquet/file_writer.h"

#include <utility>

#include "format/parquet/footer.h"

namespace headrace::parquet_file {

FileWriter::FileWriter(const jsonl::Plan& plan, std::shared_ptr<const FileLayout> layout,
                       Codec codec)
    : layout_(std::move(layout)), stats_(plan, layout_->indexed), codec_(codec), bytes_("PAR1") {}

void FileWriter::add(RowGroup group) {
  group.meta.offset = static_cast<std::int64_t>(size());
  if (bytes_.empty()) {
    bytes_ = std::move(group.bytes);
  } else {
    bytes_ += group.bytes;
  }
  stats_.add(static_cast<std::uint64_t>(group.meta.rows), group.stats);
  groups_.push_back(std::move(group.meta));
}

bool FileWriter::extend(std::shared_ptr<const FileLayout> layout) {
  if (!layout->extends(*layout_)) return false;
  for (GroupMeta& group : groups_) {
    for (std::size_t i = group.chunks.size(); i < layout->leaves.size(); ++i) {
      const std::int64_t begin = static_cast<std::int64_t>(size()) - group.offset;
      group.chunks.push_back(append_empty_chunk(bytes_, begin, layout->leaves[i], group.rows));
    }
  }
  stats_.extend(layout->indexed);
  layout_ = std::move(layout);
  return true;
}

Bytes FileWriter::take() {
  taken_ += bytes_.size();
  return std::exchange(bytes_, {});
}

ParquetFile FileWriter::finish() {
  append_footer(bytes_, size(), *layout_, groups_, codec_);
  ParquetFile file;
  file.bytes = std::move(bytes_);
  file.rows = stats_.rows();
  file.stats = stats_.json();
  return file;
}

}  // namespace headrace::parquet_file
