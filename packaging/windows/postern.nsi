; The installer for Windows. packaging/windows/make-installer.sh makes it; docs/WINDOWS.md tells of it.
;
;   postern-VERSION-setup.exe [/S] [/NOSTART] [/ADOPT] [/D=FOLDER]
;       /S        without questions
;       /NOSTART  does not start the service after a first installation
;       /ADOPT    takes a C:\ProgramData\Postern that no installation has made
;   uninstall.exe [/S] [/PURGE]
;       /PURGE    takes configuration, waiting mail and logs away too
;
; Exit status: 0 done, 1 given up by the user, 3 the service can not be put onto or taken off the list, 4 installed, but the service
; does not start, 5 the running service does not stop, 6 a file can not be replaced, 7 a strange C:\ProgramData\Postern is there.

Unicode true
Target amd64-unicode
ManifestSupportedOS Win10
!include FileFunc.nsh
!include LogicLib.nsh
!include WordFunc.nsh
!insertmacro GetParameters
!insertmacro GetOptions
!insertmacro GetSize
!insertmacro WordReplace

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Postern"
!define OWN_KEY "Software\Postern"

Name "Postern ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\Postern"
RequestExecutionLevel admin
SetCompressor /SOLID lzma
LicenseData "${STAGE}\LICENSE.txt"
LicenseText "Postern for Windows was tested under Wine, not on Windows yet: doc\docs\WINDOWS.md lists what is to be tried."
BrandingText "tested under Wine, not on Windows yet"
ShowInstDetails show
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "Postern"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Installer of Postern"
VIAddVersionKey LegalCopyright "The Postern authors, MIT licence"
!ifdef SIGN
!uninstfinalize '"${SIGN}" "%1"'
!endif

Page license
Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Var Data
Var WasThere
Var WasRunning

; Runs a command and leaves its exit status in $0; what it says goes to the details, and to the log of a silent installation.
!macro Do command
    nsExec::ExecToLog '${command}'
    Pop $0
!macroend
!macro GiveUp level text
    DetailPrint "${text}"
    SetErrorLevel ${level}
    MessageBox MB_OK|MB_ICONSTOP "${text}" /SD IDOK
    Quit
!macroend

; What SetShellVarContext chooses: C:\ProgramData, and the start menu of everybody.
!macro ForAll
    SetRegView 64
    SetShellVarContext all
    StrCpy $Data "$APPDATA\Postern"
!macroend

Function .onInit
    !insertmacro ForAll
    ; Where it was installed before, unless /D= says another folder.
    ${If} $INSTDIR == "$PROGRAMFILES64\Postern"
        ReadRegStr $0 HKLM "${OWN_KEY}" "InstallDir"
        ${If} $0 != ""
            StrCpy $INSTDIR $0
        ${EndIf}
    ${EndIf}
FunctionEnd

; Anybody may make a folder in C:\ProgramData: one that we did not make could bring a configuration of a stranger.
Function LookAtData
    ReadRegStr $0 HKLM "${OWN_KEY}" "Data"
    ${If} $0 == ""
    ${AndIf} ${FileExists} "$Data\*.*"
        ${GetParameters} $1
        ClearErrors
        ${GetOptions} $1 "/ADOPT" $2
        ${If} ${Errors}
            !insertmacro GiveUp 7 "$Data is there, and no installation of Postern has made it. Look at what is in it; then move it away, or give /ADOPT."
        ${EndIf}
    ${EndIf}
FunctionEnd

; The service stops as for a shutdown: what is being handed over is finished, the rest waits in the store.
Function StopService
    StrCpy $WasThere 0
    StrCpy $WasRunning 0
    ReadRegStr $1 HKLM "${OWN_KEY}" "InstallDir"
    ${If} $1 == ""
    ${OrIfNot} ${FileExists} "$1\postern.exe"
        Return
    ${EndIf}
    !insertmacro Do '"$1\postern.exe" service status'
    ${If} $0 == 66
        Return
    ${EndIf}
    StrCpy $WasThere 1
    ${If} $0 == 0
        StrCpy $WasRunning 1
    ${EndIf}
    !insertmacro Do '"$1\postern.exe" service stop --wait 3m'
    ${If} $0 != 0
        !insertmacro GiveUp 5 "The running service does not stop; nothing was changed. See its log in $Data\log."
    ${EndIf}
FunctionEnd

; The first configuration, with this machine's folders. A line of it has at most 1023 characters.
Function FirstConfiguration
    ${If} ${FileExists} "$Data\postern.toml"
        Return
    ${EndIf}
    InitPluginsDir
    File "/oname=$PLUGINSDIR\first.toml" "${STAGE}\first.toml"
    FileOpen $1 "$PLUGINSDIR\first.toml" r
    FileOpen $2 "$Data\postern.toml" w
    ${Do}
        ClearErrors
        FileRead $1 $3
        ${If} ${Errors}
            ${ExitDo}
        ${EndIf}
        ${WordReplace} $3 "@DATA@" $Data "+" $3
        ${WordReplace} $3 "@PROGRAM@" $INSTDIR "+" $3
        FileWrite $2 $3
    ${Loop}
    FileClose $1
    FileClose $2
FunctionEnd

Section
    !insertmacro ForAll
    Call LookAtData
    Call StopService
    SetOutPath "$INSTDIR"
    ClearErrors
    File "${STAGE}\posternd.exe"
    File "${STAGE}\postern.exe"
    File "${STAGE}\postern-sendmail.exe"
    File "${STAGE}\postern-runner.exe"
    ${If} ${Errors}
        !insertmacro GiveUp 6 "A program of Postern can not be replaced: end those that run (postern watch, postern top), then install again. The service is stopped meanwhile."
    ${EndIf}
    File "${STAGE}\LICENSE.txt"
    File "${STAGE}\THIRD-PARTY.txt"
    File "${STAGE}\README.md"
    SetOutPath "$INSTDIR\doc"
    File /r "${STAGE}\doc\*.*"
    SetOutPath "$INSTDIR\zoneinfo"
    File /r "${STAGE}\zoneinfo\*.*"
    CreateDirectory "$INSTDIR\lib\adapters"

    CreateDirectory "$Data"
    WriteRegStr HKLM "${OWN_KEY}" "InstallDir" "$INSTDIR"
    WriteRegStr HKLM "${OWN_KEY}" "Data" "$Data"
    Call FirstConfiguration
    ; Puts it onto the list and gives the folders their rights. Account and start of a service that is there stay as they are.
    !insertmacro Do '"$INSTDIR\postern.exe" service install'
    ${If} $0 != 0
        !insertmacro GiveUp 3 "The service can not be put onto the list of services; the details say why."
    ${EndIf}
    ; Every key, with the folders of this machine.
    !insertmacro Do '"$SYSDIR\cmd.exe" /c ""$INSTDIR\postern.exe" config example > "$INSTDIR\doc\postern.toml""'

    WriteUninstaller "$INSTDIR\uninstall.exe"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "Postern"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\posternd.exe"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "The Postern authors"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
    WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoRepair" 1
    ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
    WriteRegDWORD HKLM "${UNINSTALL_KEY}" "EstimatedSize" $0
    CreateDirectory "$SMPROGRAMS\Postern"
    SetOutPath "$INSTDIR"
    CreateShortCut "$SMPROGRAMS\Postern\Postern command prompt.lnk" "$SYSDIR\cmd.exe" '/k "set PATH=$INSTDIR;%PATH%"'

    ; A service that was stopped before stays so.
    ${GetParameters} $1
    ClearErrors
    ${GetOptions} $1 "/NOSTART" $2
    ${If} ${Errors}
    ${AndIf} $WasThere == 0
        StrCpy $WasRunning 1
    ${EndIf}
    ${If} $WasRunning == 1
        !insertmacro Do '"$INSTDIR\postern.exe" service start --wait 3m'
        ${If} $0 != 0
            !insertmacro GiveUp 4 "Postern is installed, but its service does not start. Its log in $Data\log says why; 'postern config check' finds mistakes in the configuration."
        ${EndIf}
    ${EndIf}
SectionEnd

Section Uninstall
    !insertmacro ForAll
    ${If} ${FileExists} "$INSTDIR\postern.exe"
        !insertmacro Do '"$INSTDIR\postern.exe" service remove --wait 3m'
        ${If} $0 != 0
        ${AndIf} $0 != 66
            !insertmacro GiveUp 3 "The service can not be taken off the list of services; the details say why. Nothing was removed."
        ${EndIf}
    ${EndIf}
    Delete "$INSTDIR\posternd.exe"
    Delete "$INSTDIR\postern.exe"
    Delete "$INSTDIR\postern-sendmail.exe"
    Delete "$INSTDIR\postern-runner.exe"
    Delete "$INSTDIR\LICENSE.txt"
    Delete "$INSTDIR\THIRD-PARTY.txt"
    Delete "$INSTDIR\README.md"
    Delete "$INSTDIR\uninstall.exe"
    RMDir /r "$INSTDIR\doc"
    RMDir /r "$INSTDIR\zoneinfo"
    ; What is not ours stays: adapters from elsewhere.
    RMDir "$INSTDIR\lib\adapters"
    RMDir "$INSTDIR\lib"
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\Postern\Postern command prompt.lnk"
    RMDir "$SMPROGRAMS\Postern"
    DeleteRegKey HKLM "${UNINSTALL_KEY}"
    DeleteRegValue HKLM "${OWN_KEY}" "InstallDir"

    ${GetParameters} $1
    ClearErrors
    ${GetOptions} $1 "/PURGE" $2
    ${If} ${Errors}
        MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 "Shall the configuration, all mail that still waits and the logs in $Data be removed too?" /SD IDNO IDYES purge
        Goto kept
    ${EndIf}
    purge:
    RMDir /r "$Data"
    DeleteRegKey HKLM "${OWN_KEY}"
    kept:
SectionEnd
