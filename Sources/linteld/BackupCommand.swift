#if Server
  internal import ArgumentParser
  internal import LintelStorage

  /// `linteld backup`: makes, lists and reads backups of a data directory.
  struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "backup",
      abstract: "Back up the store in a directory, also while linteld serves it.",
      discussion: """
        Run it on the store's machine, as the user that linteld runs as. Only what the last backup in --to doesn't have is \
        read and written. A backup holds the store's secret and everything else; guard it as you guard the store. Exit \
        status: 0 when all is well, 1 when something is damaged or it failed, 64 for flags that can't be meant.
        """)

    @Option(help: ArgumentHelp("The directory of the store.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("The directory of the backups; made if it doesn't exist.", valueName: "backups"))
    var to: String?
    @Option(help: ArgumentHelp("Remove older backups, but for so many in all, when this one is whole.", valueName: "n"))
    var keep: Int?
    @Flag(help: "Take nothing over from earlier backups: read and check every file again.")
    var full = false
    @Option(help: ArgumentHelp("List the backups in a directory.", valueName: "backups"))
    var list: String?
    @Option(
      help: ArgumentHelp("Read a backup, or the newest of a directory, and check every file.", valueName: "backup"))
    var verify: String?

    func validate() throws {
      let isMaking = data != nil || to != nil || keep != nil || full
      guard (isMaking ? 1 : 0) + (list == nil ? 0 : 1) + (verify == nil ? 0 : 1) == 1 else {
        throw ValidationError("say one of: --data DIR --to BACKUPS, --list BACKUPS, --verify BACKUP")
      }
      guard !isMaking || data != nil && to != nil else {
        throw ValidationError("say what is backed up and where: --data DIR --to BACKUPS")
      }
      if let keep, keep < 1 { throw ValidationError("--keep is \(keep): one backup must be kept at least") }
    }

    func run() throws {
      // What is copied is held open meanwhile.
      FileLimit.raise()
      do throws(StorageError) {
        let isWell =
          if let list { try show(list) } else if let verify { try check(verify) } else { try make() }
        if !isWell { throw StorageError(.corrupt, "what is named above is damaged") }
      } catch {
        BackupText.fail(error)
        throw ExitCode(1)
      }
    }

    private func make() throws(StorageError) -> Bool {
      guard let data, let to else { return true }
      var options = BackupOptions()
      options.keep = keep
      options.isFull = full
      let report = try Backups(to).make(of: data, options)
      let backup = report.summary
      BackupText.say(
        "backup \(backup.number): \(backup.fileCount) files, \(backup.bytes) bytes, of which \(report.writtenBytes) were "
          + "written: \(backup.path)")
      if !report.removed.isEmpty {
        BackupText.say("removed: \(report.removed.map { "backup \($0)" }.joined(separator: ", "))")
      }
      for problem in report.problems + backup.damages { BackupText.warn(problem) }
      if !backup.damages.isEmpty {
        BackupText.warn("the store is damaged: earlier backups may have these files whole, and none was removed")
      }
      return backup.damages.isEmpty
    }

    private func show(_ path: String) throws(StorageError) -> Bool {
      let backups = try Backups(path).list()
      if backups.isEmpty { BackupText.say("no finished backup in \(path)") }
      for backup in backups {
        BackupText.say(
          "backup \(backup.number): \(BackupText.time(backup.began)), \(backup.fileCount) files, \(backup.bytes) bytes, "
            + "rules of erasure \(backup.rules): \(backup.path)")
        for damage in backup.damages { BackupText.warn(damage) }
      }
      return true
    }

    private func check(_ path: String) throws(StorageError) -> Bool {
      let found = try Backups.verify(path)
      for problem in found.problems + found.summary.damages { BackupText.warn(problem) }
      BackupText.say(
        "backup \(found.summary.number): \(found.files) files, \(found.bytes) bytes read, \(found.problems.count) damaged: "
          + found.summary.path)
      return found.problems.isEmpty
    }
  }
#endif
