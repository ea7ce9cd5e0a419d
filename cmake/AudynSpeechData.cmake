# cmake -DAUDYN_PROVISION_DIR=FOLDER -P AudynSpeechData.cmake: spoken phrases in five languages, one folder for each, below
# FOLDER/speech_data. They are Debian's and Ubuntu's packages of Asterisk's prompts: 2,831 recordings, 2.2 hours.

cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/AudynApt.cmake")

set(data "${AUDYN_PROVISION_DIR}/speech_data")
set(languages en es fr it ru)
file(MAKE_DIRECTORY "${AUDYN_PROVISION_DIR}")
file(LOCK "${AUDYN_PROVISION_DIR}/speech_data.lock" TIMEOUT 3600)
if(EXISTS "${data}")
    return()
endif()

audyn_apt_available(available)
if(NOT available)
    message(FATAL_ERROR "audyn: the speech data are Debian packages, and there is no apt-get here to download them with. "
        "Run the example with data.root=FOLDER, a folder of recordings with one folder for each class.")
endif()

set(unpacked "${AUDYN_PROVISION_DIR}/speech_packages")
list(TRANSFORM languages REPLACE "(.+)" "asterisk-core-sounds-\\1-wav" OUTPUT_VARIABLE packages)
audyn_apt_unpack(DESTINATION "${unpacked}" STATE "${AUDYN_PROVISION_DIR}/speech_apt" PACKAGES ${packages})

file(REMOVE_RECURSE "${data}.partial")
file(MAKE_DIRECTORY "${data}.partial")
foreach(language IN LISTS languages)
    file(GLOB recordings "${unpacked}/usr/share/asterisk/sounds/${language}_*")
    file(RENAME "${recordings}" "${data}.partial/${language}")
endforeach()
file(RENAME "${data}.partial" "${data}")
file(REMOVE_RECURSE "${unpacked}")
