package io.loomshim.daemon;

import com.google.protobuf.Timestamp;
import io.loomshim.inspect.Identity;
import io.loomshim.log.Log;
import io.loomshim.metrics.Shortages;
import io.loomshim.proto.record.DaemonEntry;
import io.loomshim.record.Change;
import io.loomshim.record.Journal;
import io.loomshim.record.Record;
import io.loomshim.record.RecordFile;
import io.loomshim.record.Saved;
import io.loomshim.rundir.DaemonRecord;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * The record that a daemon keeps of its containers, for one that takes over. Where none can be begun, the daemon does
 * without. Any thread may write.
 */
final class RecordKeeping implements Journal {
  /** That of a daemon whose containers end with it. */
  static final RecordKeeping NONE = new RecordKeeping(Optional.empty());

  private final Optional<Record> record;

  private RecordKeeping(Optional<Record> record) {
    this.record = record;
  }

  /** Begins the record of the daemon {@code own}, which has no containers yet. */
  static RecordKeeping begin(Identity identity, DaemonRecord own) {
    try {
      return new RecordKeeping(Optional.of(Record.begin(identity.run(), entry(identity, own).build())));
    } catch (IOException e) {
      Log.warn("no record of containers", "error", String.valueOf(e.getMessage()));
      Shortages.begin("record of containers", "what a daemon had that was killed is not known", e);
      return new RecordKeeping(Optional.empty());
    }
  }

  /**
   * Goes on with the record of a daemon that was killed, which {@code content} is.
   *
   * @throws IOException when it cannot be written
   */
  static RecordKeeping resume(Identity identity, DaemonRecord own, Saved saved, RecordFile.Content content)
      throws IOException {
    DaemonEntry entry = entry(identity, own).setTakeovers(saved.daemon().getTakeovers() + 1)
        .setPreviousPid(saved.daemon().getPid()).build();
    return new RecordKeeping(Optional.of(Record.resume(identity.run(), content, entry)));
  }

  /** What a record says of the daemon that writes it. */
  static DaemonEntry.Builder entry(Identity identity, DaemonRecord own) {
    Instant now = Instant.now();
    return DaemonEntry.newBuilder().setPid(own.pid()).setStartTime(own.startTime())
        .setNamespace(identity.namespace()).setMode(identity.mode()).setContainerd(identity.containerd())
        .setBuild(identity.build())
        .setStartedAt(Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()));
  }

  @Override
  public void write(Change... changes) {
    if (record.isPresent()) {
      record.get().write(changes);
    }
  }

  @Override
  public void giveUp(Throwable why) {
    if (record.isPresent()) {
      record.get().giveUp(why);
    }
  }

  @Override
  public boolean keeps() {
    return record.isPresent();
  }

  /** Whether there is a record, and nothing waits for room in it. */
  boolean complete() {
    return record.isPresent() && record.get().complete();
  }

  /** The daemon ends in order: removes the record. */
  void end() {
    record.ifPresent(Record::close);
  }
}
