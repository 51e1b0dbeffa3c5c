/**
 * The descriptors of a store, from one version of the program to the next: they stay open while the process executes the next version,
 * and a file has their names.
 */
#pragma once

#include "libpm/handover/descriptor_table.h"

namespace pm::handover {

/** Writes the file. */
[[nodiscard]] Result<Fd> save_table(DescriptorTable const &table) noexcept;

/** Adds the descriptors that the file names to the table. EPROTO: the file is damaged, or of another format. */
[[nodiscard]] Done restore_table(DescriptorTable &table, Fd file) noexcept;

/** Sets whether the descriptors of the table, and the store's socket, stay open through execve(2). On an error it tries the others as well. */
[[nodiscard]] Done set_inherited(DescriptorTable const &table, int socket, bool inherited) noexcept;

} // namespace pm::handover
