package io.loomshim.cgroup;

import io.loomshim.linux.SmallFile;
import io.loomshim.proto.cgroups1.BlkIOEntry;
import io.loomshim.proto.cgroups1.BlkIOStat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Block I/O of a cgroup v1 (kernel: cgroup-v1/blkio-controller.rst). */
final class BlockIo {
  private static final String DISKS = "/proc/diskstats";

  private BlockIo() {}

  /** The figures of the scheduler, or where it keeps none, of throttling. */
  static BlkIOStat read(Path directory) throws IOException {
    Map<String, String> disks = disks(SmallFile.text(DISKS));
    var stat = BlkIOStat.newBuilder();
    if (Files.exists(directory.resolve("blkio.io_serviced_recursive"))) {
      stat.addAllSectorsRecursive(entries(directory, "blkio.sectors_recursive", disks));
      stat.addAllIoServiceBytesRecursive(entries(directory, "blkio.io_service_bytes_recursive", disks));
      stat.addAllIoServicedRecursive(entries(directory, "blkio.io_serviced_recursive", disks));
      stat.addAllIoQueuedRecursive(entries(directory, "blkio.io_queued_recursive", disks));
      stat.addAllIoServiceTimeRecursive(entries(directory, "blkio.io_service_time_recursive", disks));
      stat.addAllIoWaitTimeRecursive(entries(directory, "blkio.io_wait_time_recursive", disks));
      stat.addAllIoMergedRecursive(entries(directory, "blkio.io_merged_recursive", disks));
      stat.addAllIoTimeRecursive(entries(directory, "blkio.time_recursive", disks));
    }
    if (stat.build().equals(BlkIOStat.getDefaultInstance())) {
      stat.addAllIoServicedRecursive(entries(directory, "blkio.throttle.io_serviced", disks));
      stat.addAllIoServiceBytesRecursive(entries(directory, "blkio.throttle.io_service_bytes", disks));
    }
    return stat.build();
  }

  private static List<BlkIOEntry> entries(Path directory, String file, Map<String, String> disks) throws IOException {
    return parse(StatFiles.text(directory, file), disks);
  }

  /** Lines {@code MAJOR:MINOR OPERATION VALUE} or {@code MAJOR:MINOR VALUE}; the totals are left out. */
  static List<BlkIOEntry> parse(String text, Map<String, String> disks) {
    var entries = new ArrayList<BlkIOEntry>();
    for (String line : text.split("\n")) {
      List<String> words = StatFiles.words(line);
      int colon = words.isEmpty() ? -1 : words.get(0).indexOf(':');
      if (colon < 0 || words.size() < 2 || words.size() > 3) {
        continue;
      }
      String device = words.get(0);
      entries.add(
          BlkIOEntry.newBuilder()
              .setMajor(StatFiles.number(device.substring(0, colon)))
              .setMinor(StatFiles.number(device.substring(colon + 1)))
              .setDevice(disks.getOrDefault(device, ""))
              .setOp(words.size() == 3 ? words.get(1) : "")
              .setValue(StatFiles.number(words.getLast()))
              .build());
    }
    return entries;
  }

  /** From {@code MAJOR:MINOR} to the device's path; the first line of a number counts. */
  static Map<String, String> disks(String diskstats) {
    var disks = new HashMap<String, String>();
    for (String line : diskstats.split("\n")) {
      List<String> words = StatFiles.words(line);
      if (words.size() > 2) {
        disks.putIfAbsent(words.get(0) + ":" + words.get(1), "/dev/" + words.get(2));
      }
    }
    return disks;
  }
}
