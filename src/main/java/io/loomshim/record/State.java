package io.loomshim.record;

import com.google.protobuf.ByteString;
import io.loomshim.record.Change.Operation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the entries of a record amount to: the values that have been put and not removed. It is a function of the
 * entries alone. Owned by one thread.
 */
public final class State {
  /** Answers of Delete that are kept, the latest: more than are on their way to clients at any moment. */
  static final int DELETED_MAX = 1024;

  /** A character before all that can follow {@code ID} in the key of a value of that container, and one after it. */
  private static final String BELOW = "/";
  private static final String BEHIND = "0";

  /** By key, so that what belongs to one container lies together. */
  private final TreeMap<Integer, TreeMap<String, ByteString>> ofContainers = new TreeMap<>();
  /** In the order in which they were put first. */
  private final TreeMap<Integer, LinkedHashMap<String, ByteString>> others = new TreeMap<>();

  /** Applies the changes of one entry. */
  public void apply(List<Change> entry) {
    for (Change change : entry) {
      apply(change);
    }
  }

  private void apply(Change change) {
    if (change.operation() == Operation.FORGET) {
      forget(change.key());
      return;
    }
    if (orphan(change)) {
      return;
    }
    Map<String, ByteString> values = values(change.kind());
    if (change.operation() == Operation.REMOVE) {
      values.remove(change.key());
      return;
    }
    if (change.kind() == Kinds.DELETED) {
      values.remove(change.key()); // it is the latest again
      if (values.size() == DELETED_MAX) {
        values.remove(values.keySet().iterator().next());
      }
    }
    values.put(change.key(), change.value());
  }

  /** What is said of a container that has gone, by the thread that has seen its init end, is not kept. */
  private boolean orphan(Change change) {
    if (!Kinds.ofContainer(change.kind()) || change.kind() == Kinds.CONTAINER) {
      return false;
    }
    int end = change.key().indexOf(BELOW);
    String id = end < 0 ? change.key() : change.key().substring(0, end);
    return !all(Kinds.CONTAINER).containsKey(id);
  }

  private Map<String, ByteString> values(int kind) {
    Map<String, ByteString> values = Kinds.ofContainer(kind) ? ofContainers.get(kind) : others.get(kind);
    if (values != null) {
      return values;
    }
    if (Kinds.ofContainer(kind)) {
      var fresh = new TreeMap<String, ByteString>();
      ofContainers.put(kind, fresh);
      return fresh;
    }
    var fresh = new LinkedHashMap<String, ByteString>();
    others.put(kind, fresh);
    return fresh;
  }

  private void forget(String id) {
    for (TreeMap<String, ByteString> values : ofContainers.values()) {
      values.remove(id);
      values.subMap(id + BELOW, id + BEHIND).clear();
    }
  }

  /** The value of {@code key}, if there is one. */
  public Optional<ByteString> get(int kind, String key) {
    return Optional.ofNullable(all(kind).get(key));
  }

  /** All values of a kind: those of containers by key, others in the order in which they were put first. */
  public Map<String, ByteString> all(int kind) {
    Map<String, ByteString> values = Kinds.ofContainer(kind) ? ofContainers.get(kind) : others.get(kind);
    return values == null ? Map.of() : Collections.unmodifiableMap(values);
  }

  /** The values of a kind that belong to the container {@code id}, by key. */
  public Map<String, ByteString> of(String id, int kind) {
    TreeMap<String, ByteString> values = ofContainers.get(kind);
    if (values == null) {
      return Map.of();
    }
    var found = new TreeMap<String, ByteString>(values.subMap(id + BELOW, id + BEHIND));
    ByteString own = values.get(id);
    if (own != null) {
      found.put(id, own);
    }
    return found;
  }

  /** The kinds of which there are values. */
  public List<Integer> kinds() {
    var kinds = new ArrayList<Integer>();
    for (var values : ofContainers.entrySet()) {
      if (!values.getValue().isEmpty()) {
        kinds.add(values.getKey());
      }
    }
    for (var values : others.entrySet()) {
      if (!values.getValue().isEmpty()) {
        kinds.add(values.getKey());
      }
    }
    return kinds;
  }

  /** Changes that lead from nothing to this state. */
  List<Change> changes() {
    var changes = new ArrayList<Change>();
    for (int kind : kinds()) {
      for (var value : all(kind).entrySet()) {
        changes.add(Change.put(kind, value.getKey(), value.getValue()));
      }
    }
    return changes;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof State that && changes().equals(that.changes());
  }

  @Override
  public int hashCode() {
    return changes().hashCode();
  }

  @Override
  public String toString() {
    return changes().toString();
  }
}
